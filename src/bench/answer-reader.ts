import { type ChunkTemplate, chunkTemplate } from "./chunk-template.ts";
import { type OpenAiChunk, readOpenAiChunk } from "./openai-chunk.ts";
import { type SseEvent, SseLimitError, sseParser } from "./sse-parser.ts";

/** What is known of one streamed answer so far. Times are the arrival of the bytes, monotonic milliseconds. */
export interface Answer {
  id: string | null;
  firstEventMs: number | null;
  lastEventMs: number | null;
  firstMs: number | null;
  lastMs: number | null;
  firstVisibleMs: number | null;
  readonly chunkMs: number[];
  /** Tokens of each counted event while every chunk came with usage, else null. */
  chunkTokens: number[] | null;
  coalesced: number;
  promptTokens: number | null;
  outputTokens: number | null;
  finishReason: string | null;
  /** `[DONE]` came. */
  done: boolean;
  /** The first thing that was wrong with the stream; later ones follow from it. */
  problem: { readonly outcome: "sse_protocol" | "midstream_error"; readonly detail: string } | null;
}

/** Chunks that never fit a template (usage in each of them) are not worth making one every time. */
const TEMPLATES = 8;

export interface AnswerReader {
  readonly answer: Answer;
  push(bytes: Uint8Array, atMs: number): void;
  /** Bytes of an event that never became complete. */
  readonly pendingBytes: number;
}

/** vLLM ends the streams of a server that shuts down with "abort"; "error" is its word for a failed engine. */
const BROKEN_FINISH = new Set(["abort", "error"]);

/**
 * Reads a stream of chat or text completion chunks. Counted is an event that carries text, reasoning or a tool call,
 * and also an empty one when the server itself says that a token is in it (usage on every chunk, or `token_ids`):
 * a token that is only part of a character has no text yet. Otherwise an empty chunk is a role or a finish reason.
 */
export function answerReader(): AnswerReader {
  const answer = emptyAnswer();
  let atMs = 0;
  let countedInRead = 0;
  let template: ChunkTemplate | null = null;
  let templatesMade = 0;
  const parser = sseParser((event) => readEvent(event));

  function readEvent({ type, data }: SseEvent): void {
    answer.firstEventMs ??= atMs;
    answer.lastEventMs = atMs;
    if (data.length === 0 || answer.done || answer.problem !== null) return;
    const carries = type === "message" ? template?.match(data) : undefined;
    if (carries === undefined) readText(type, data);
    else {
      // Such a chunk has no usage, so tokens are not counted chunk by chunk.
      answer.chunkTokens = null;
      if (carries !== null) countEvent(carries, 0);
    }
  }

  function readText(type: string, data: Buffer): void {
    const text = data.toString();
    if (text.trim() === "[DONE]") {
      answer.done = true;
      return;
    }
    const value = parseJson(text);
    const chunk = readOpenAiChunk(value);
    answer.problem = problemOf(type, text, value, chunk);
    // Any other object is a proxy's own event (Open WebUI sends its sources so) and says nothing about tokens.
    if (answer.problem !== null || chunk === null) return;
    readChunk(chunk);
    if (chunk.carries === null || templatesMade === TEMPLATES) return;
    template = chunkTemplate(data);
    templatesMade += 1;
  }

  function readChunk(chunk: OpenAiChunk): void {
    answer.id ??= chunk.id;
    const tokens = countTokens(answer, chunk);
    if (chunk.carries !== null || tokens > 0) countEvent(chunk.carries, tokens);
    for (const reason of chunk.finishReasons) {
      answer.finishReason ??= reason;
      if (BROKEN_FINISH.has(reason)) {
        answer.problem = { outcome: "midstream_error", detail: `the server ended the answer with "${reason}"` };
      }
    }
  }

  function countEvent(carries: OpenAiChunk["carries"], tokens: number): void {
    if (carries === "visible") answer.firstVisibleMs ??= atMs;
    answer.firstMs ??= atMs;
    answer.lastMs = atMs;
    answer.chunkMs.push(atMs);
    answer.chunkTokens?.push(tokens);
    if (countedInRead > 0) answer.coalesced += 1;
    countedInRead += 1;
  }

  return {
    answer,
    push(bytes, readAtMs) {
      atMs = readAtMs;
      countedInRead = 0;
      try {
        parser.push(bytes);
      } catch (error) {
        if (!(error instanceof SseLimitError)) throw error;
        answer.problem ??= { outcome: "sse_protocol", detail: error.message };
      }
    },
    get pendingBytes() {
      return parser.pendingBytes;
    },
  };
}

function emptyAnswer(): Answer {
  return {
    id: null,
    firstEventMs: null,
    lastEventMs: null,
    firstMs: null,
    lastMs: null,
    firstVisibleMs: null,
    chunkMs: [],
    chunkTokens: [],
    coalesced: 0,
    promptTokens: null,
    outputTokens: null,
    finishReason: null,
    done: false,
    problem: null,
  };
}

/** Takes over the usage of a chunk and returns how many tokens it says are new; 0 when the chunk does not say. */
function countTokens(answer: Answer, chunk: OpenAiChunk): number {
  const before = answer.outputTokens ?? 0;
  answer.promptTokens = chunk.usage?.promptTokens ?? answer.promptTokens;
  answer.outputTokens = chunk.usage?.completionTokens ?? answer.outputTokens;
  const says = chunk.carries !== null || chunk.finishReasons.length > 0;
  // Usage on the last chunk alone is the total of the whole answer, not of that chunk.
  if (says && chunk.usage === null) answer.chunkTokens = null;
  if (answer.chunkTokens !== null && chunk.usage !== null) return Math.max(0, (answer.outputTokens ?? 0) - before);
  return chunk.tokenIds ?? 0;
}

function problemOf(type: string, text: string, value: unknown, chunk: OpenAiChunk | null): Answer["problem"] {
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
