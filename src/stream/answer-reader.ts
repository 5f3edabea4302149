import { type ChunkTemplate, chunkTemplate } from "./chunk-template.ts";
import { type OpenAiChunk, readOpenAiChunk } from "./openai-chunk.ts";
import { SseLimitError, sseParser } from "./sse-parser.ts";
import { timeLog } from "./time-log.ts";

/** What was found in one streamed answer. Times are the arrival of the bytes, monotonic milliseconds. */
export interface Answer {
  readonly id: string | null;
  readonly firstEventMs: number | null;
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  readonly firstVisibleMs: number | null;
  readonly chunkMs: Float64Array;
  /** Tokens of each counted event when every chunk came with usage, else null. */
  readonly chunkTokens: readonly number[] | null;
  readonly coalesced: number;
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
  readonly finishReason: string | null;
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
  /** The answer as far as it has come. */
  answer(): Answer;
}

/** What the answers of one run have in common: a later one need not learn it again. */
export interface AnswerShape {
  template: ChunkTemplate | null;
  readonly expectedChunks: number;
}

/** Chunks that never fit a template (usage in each of them) are not worth making one every time. */
const TEMPLATES = 8;
/** vLLM ends the streams of a server that shuts down with "abort"; "error" is its word for a failed engine. */
const BROKEN_FINISH = new Set(["abort", "error"]);

/**
 * Reads a stream of chat or text completion chunks. Counted is an event that carries text, reasoning or a tool call,
 * and also an empty one when the server itself says that a token is in it (usage on every chunk, or `token_ids`):
 * a token that is only part of a character has no text yet. Otherwise an empty chunk is a role or a finish reason.
 */
export function answerReader(shape: AnswerShape = { template: null, expectedChunks: 0 }): AnswerReader {
  // This runs once for every token of every stream: plain variables, and one array of doubles.
  const times = timeLog(shape.expectedChunks);
  const details = chunkDetails();
  let atMs = 0;
  let events = 0;
  let countedInRead = 0;
  let coalesced = 0;
  let firstEventMs: number | null = null;
  let firstVisibleMs: number | null = null;
  let done = false;
  let problem: StreamProblem | null = null;
  const alike = alikeChunks(shape);
  const parser = sseParser(readEvent);

  function readEvent(bytes: Buffer, start: number, end: number, type: string): void {
    events += 1;
    firstEventMs ??= atMs;
    if (start === end || done || problem !== null) return;
    // The first chunk is always parsed: the id of the answer is in it.
    const carries = type === "message" && details.hasId() ? alike.match(bytes, start, end) : undefined;
    if (carries === undefined) readText(bytes, start, end, type);
    else {
      details.skip();
      if (carries !== null) countEvent(carries);
    }
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
    if (details.read(chunk)) countEvent(chunk.carries);
    if (chunk.carries !== null) alike.learn(bytes, start, end);
  }

  function countEvent(carries: OpenAiChunk["carries"]): void {
    if (carries === "visible") firstVisibleMs ??= atMs;
    times.push(atMs);
    if (countedInRead > 0) coalesced += 1;
    countedInRead += 1;
  }

  return {
    push(bytes, start, end, readAtMs) {
      atMs = readAtMs;
      countedInRead = 0;
      const before = events;
      try {
        parser.push(bytes, start, end);
      } catch (error) {
        if (!(error instanceof SseLimitError)) throw error;
        problem ??= { outcome: "sse_protocol", detail: error.message };
      }
      return events > before;
    },
    isBroken: () => problem !== null && problem.outcome === "sse_protocol",
    answer() {
      const { pendingBytes } = parser;
      const chunkMs = times.take();
      const [firstMs = null, lastMs = null] = [chunkMs[0], chunkMs.at(-1)];
      return {
        ...{ firstEventMs, firstMs, lastMs, firstVisibleMs, chunkMs, coalesced, done, pendingBytes },
        ...details.found(),
        problem: problem ?? brokenFinish(details.found().finishReason),
      };
    },
  };
}

/** The template that chunks are compared with, of this answer or of one before. */
function alikeChunks(shape: AnswerShape) {
  let { template } = shape;
  let made = 0;
  return {
    match: (bytes: Buffer, start: number, end: number) => template?.match(bytes, start, end),
    learn(bytes: Buffer, start: number, end: number): void {
      if (made === TEMPLATES || template?.match(bytes, start, end) !== undefined) return;
      template = chunkTemplate(bytes.toString("latin1", start, end));
      shape.template = template ?? shape.template;
      made += 1;
    },
  };
}

/** What chunks say besides that they carry something. */
function chunkDetails() {
  let id: string | null = null;
  let promptTokens: number | null = null;
  let outputTokens: number | null = null;
  let finishReason: string | null = null;
  let chunkTokens: number[] | null = [];

  /** Takes over the usage of a chunk and returns how many tokens it says are new; 0 when the chunk does not say. */
  function countTokens(chunk: OpenAiChunk): number {
    const before = outputTokens ?? 0;
    promptTokens = chunk.usage?.promptTokens ?? promptTokens;
    outputTokens = chunk.usage?.completionTokens ?? outputTokens;
    const says = chunk.carries !== null || chunk.finishReasons.length > 0;
    // Usage on the last chunk alone is the total of the whole answer, not of that chunk.
    if (says && chunk.usage === null) chunkTokens = null;
    if (chunkTokens !== null && chunk.usage !== null) return Math.max(0, (outputTokens ?? 0) - before);
    return chunk.tokenIds ?? 0;
  }

  return {
    /** Returns whether the chunk is a counted event. */
    read(chunk: OpenAiChunk): boolean {
      id ??= chunk.id;
      const tokens = countTokens(chunk);
      finishReason ??= chunk.finishReasons[0] ?? null;
      const isCounted = chunk.carries !== null || tokens > 0;
      if (isCounted) chunkTokens?.push(tokens);
      return isCounted;
    },
    /** A chunk that was not parsed has no usage: tokens are not counted chunk by chunk. */
    skip(): void {
      chunkTokens = null;
    },
    hasId: () => id !== null,
    found: () => ({ id, promptTokens, outputTokens, finishReason, chunkTokens }),
  };
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
