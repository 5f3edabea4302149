import type { TransportFailure } from "../ports/model-stream.ts";
import type { Answer } from "../stream/answer-reader.ts";
import type { ReadExchange } from "../stream/exchange-reader.ts";
import { errorMessageOf } from "../stream/openai-chunk.ts";
import type { Outcome } from "./load-point.ts";

/** How an exchange ended. */
export interface RequestEnd {
  /** Null: the body ended as HTTP says it must. */
  readonly failure: TransportFailure | null;
  readonly failureDetail: string;
  /** The limit that made us close the connection. */
  readonly cutBy: "stall_timeout" | "total_timeout" | null;
}

/** What was asked for. */
export interface RequestLimits {
  readonly wantedTokens: number | null;
  readonly stallTimeoutMs: number;
  readonly totalTimeoutMs: number;
}

export interface Verdict {
  readonly outcome: Outcome;
  readonly detail: string | null;
}

/** Decides how a request ended. What the server said comes before what happened to the connection afterwards. */
export function outcomeOf(read: ReadExchange, end: RequestEnd, limits: RequestLimits): Verdict {
  const { answer, status } = read;
  if (status !== null && status !== 200) return refused(status, read.errorBody);
  if (answer.problem !== null) return answer.problem;
  if (status === 200 && !read.isStream) {
    const detail = `the answer is ${read.contentType}, text/event-stream is wanted: ${wordsOf(read.errorBody)}`;
    return { outcome: "sse_protocol", detail };
  }
  if (end.failure !== null && !answer.done) return broken(end, end.failure, limits);
  const { times, details } = answer;
  if (!answer.done && details.finishReason === null) return truncated(answer);
  if (times.firstMs === null && details.finishReason === null) return truncated(answer);
  const { wantedTokens } = limits;
  if (wantedTokens !== null && details.outputTokens !== null && details.outputTokens !== wantedTokens) {
    return { outcome: "length_mismatch", detail: `${details.outputTokens} tokens, ${wantedTokens} were asked for` };
  }
  return { outcome: "ok", detail: null };
}

function refused(status: number, errorBody: string): Verdict {
  const words = wordsOf(errorBody);
  const detail = words === "" ? `HTTP ${status}` : `HTTP ${status}: ${words}`;
  if (status === 429) return { outcome: "http_429", detail };
  if (status >= 500) return { outcome: "http_5xx", detail };
  return { outcome: status >= 400 ? "http_4xx" : "sse_protocol", detail };
}

function wordsOf(body: string): string {
  return errorMessageOf(body) ?? body.trim().slice(0, 200);
}

function broken({ cutBy, failureDetail }: RequestEnd, failure: TransportFailure, limits: RequestLimits): Verdict {
  if (cutBy === "stall_timeout") return { outcome: cutBy, detail: `no event for ${limits.stallTimeoutMs} ms` };
  if (cutBy === "total_timeout") return { outcome: cutBy, detail: `not complete after ${limits.totalTimeoutMs} ms` };
  return { outcome: failure, detail: failureDetail };
}

function truncated({ pendingBytes, times }: Answer): Verdict {
  if (pendingBytes > 0) return { outcome: "truncated", detail: "the stream ends inside an event" };
  if (times.firstEventMs === null) return { outcome: "truncated", detail: "the stream ends without an event" };
  if (times.firstMs === null) return { outcome: "truncated", detail: "the stream ends without a token" };
  return { outcome: "truncated", detail: "the stream ends without a finish reason and without [DONE]" };
}
