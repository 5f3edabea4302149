import { alikeChunks, type ChunkShape } from "./alike-chunks.ts";
import { type ChunkDetails, chunkDetails } from "./chunk-details.ts";
import { type EventTimes, eventTally } from "./event-tally.ts";
import { type OpenAiChunk, readOpenAiChunk } from "./openai-chunk.ts";
import { SseLimitError, sseParser } from "./sse-parser.ts";
import { type StampArchive, stampArchive } from "./stamps.ts";

/** What was found in one streamed answer. */
export interface Answer {
  readonly times: EventTimes;
  readonly details: ChunkDetails;
  /** `[DONE]` came. */
  readonly done: boolean;
  /** The first thing that was wrong with the stream; later ones follow from it. */
  readonly problem: StreamProblem | null;
  /** Bytes of an event that never became complete. */
  readonly pendingBytes: number;
}

export interface StreamProblem {
  readonly outcome: "sse_protocol" | "midstream_error";
  readonly detail: string;
}

export interface AnswerReader {
  /** Returns whether an event came with the bytes from `start` to before `end`. */
  push(bytes: Uint8Array, start: number, end: number, atMs: number): boolean;
  /** True once the stream cannot be read any further. */
  isBroken(): boolean;
  /** How many events were counted so far. */
  counted(): number;
  /** The answer as far as it has come. */
  answer(): Answer;
  /** Forgets the answer: what comes next is another one. */
  reset(): void;
}

/** What the answers of one run have in common: a later one need not learn it again. */
export interface AnswerShape extends ChunkShape {
  readonly stamps: StampArchive;
}

export function answerShape(): AnswerShape {
  return { template: null, stamps: stampArchive() };
}

/** vLLM ends the streams of a server that shuts down with "abort"; "error" is its word for a failed engine. */
const BROKEN_FINISH = new Set(["abort", "error"]);
const DATA = Buffer.from("data: ");
const LF = 10;

/**
 * Reads one stream of chat or text completion chunks after the other. Counted is an event that carries text, reasoning
 * or a tool call, and also an empty one when the server itself says that a token is in it (usage on every chunk, or
 * `token_ids`): a token that is only part of a character has no text yet. Otherwise an empty chunk is a role or a
 * finish reason.
 */
export function answerReader(shape: AnswerShape = answerShape()): AnswerReader {
  const tally = eventTally(shape.stamps);
  const details = chunkDetails();
  const alike = alikeChunks(shape);
  const parser = sseParser(readEvent);
  let done = false;
  let problem: StreamProblem | null = null;

  /** Tells without parsing what is in a chunk like the ones before, and counts it. */
  function readAlike(bytes: Uint8Array, start: number, end: number): boolean {
    // The first chunk is always parsed: the id of the answer is in it.
    if (done || problem !== null || !details.hasId()) return false;
    const carries = alike.match(bytes, start, end);
    if (carries === undefined) return false;
    tally.note();
    details.skip();
    if (carries !== null) tally.count(carries);
    return true;
  }

  function readEvent(bytes: Buffer, start: number, end: number, type: string): void {
    if (type === "message" && readAlike(bytes, start, end)) return;
    tally.note();
    if (start !== end && !done && problem === null) readText(bytes, start, end, type);
  }

  function readText(bytes: Buffer, start: number, end: number, type: string): void {
    const text = bytes.toString("utf8", start, end);
    if (text.trim() === "[DONE]") {
      done = true;
      return;
    }
    const value = parseJson(text);
    const chunk = readOpenAiChunk(value);
    problem = problemOf(type, text, value, chunk);
    // Any other object is a proxy's own event (Open WebUI sends its sources so) and says nothing about tokens.
    if (problem !== null || chunk === null) return;
    if (details.read(chunk)) tally.count(chunk.carries);
    if (chunk.carries !== null) alike.learn(bytes, start, end);
  }

  return {
    push(bytes, start, end, atMs) {
      tally.setTime(atMs);
      // Nearly every push is one event whose chunk is like the ones before: one pass over its bytes is enough for it.
      const isEvent = isDataLine(bytes, start, end) && parser.isBetweenEvents();
      if (isEvent && readAlike(bytes, start + DATA.length, end - 2)) return true;
      const before = tally.events();
      try {
        parser.push(bytes, start, end);
      } catch (error) {
        if (!(error instanceof SseLimitError)) throw error;
        problem ??= { outcome: "sse_protocol", detail: error.message };
      }
      return tally.events() > before;
    },
    counted: tally.counted,
    isBroken: () => problem !== null && problem.outcome === "sse_protocol",
    answer() {
      const found = details.found();
      return {
        times: tally.found(),
        details: found,
        done,
        problem: problem ?? brokenFinish(found.finishReason),
        pendingBytes: parser.pendingBytes,
      };
    },
    reset() {
      for (const part of [tally, details, alike, parser]) part.reset();
      done = false;
      problem = null;
    },
  };
}

/** "data: ", something, and the two line ends that end an event. */
function isDataLine(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < DATA.length + 2 || bytes[end - 1] !== LF || bytes[end - 2] !== LF) return false;
  for (let at = 0; at < DATA.length; at += 1) if (bytes[start + at] !== DATA[at]) return false;
  return true;
}

function brokenFinish(reason: string | null): StreamProblem | null {
  if (reason === null || !BROKEN_FINISH.has(reason)) return null;
  return { outcome: "midstream_error", detail: `the server ended the answer with "${reason}"` };
}

function problemOf(type: string, text: string, value: unknown, chunk: OpenAiChunk | null): StreamProblem | null {
  if (type === "error" || (chunk !== null && chunk.error !== null)) {
    return { outcome: "midstream_error", detail: chunk?.error ?? text };
  }
  if (value === undefined) return { outcome: "sse_protocol", detail: `an event is not JSON: ${excerpt(text)}` };
  return null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
