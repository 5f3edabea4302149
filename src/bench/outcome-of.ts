import type { TransportFailure } from "../ports/model-stream.ts";
import type { Answer } from "../stream/answer-reader.ts";
import type { ReadExchange } from "../stream/exchange-reader.ts";
import { errorMessageOf } from "../stream/openai-chunk.ts";
import type { Outcome } from "./load-point.ts";

/** How an exchange ended, and what had come by then. */
export interface RequestEnd extends ReadExchange {
  /** Null: the body ended as HTTP says it must. */
  readonly failure: TransportFailure | null;
  readonly failureDetail: string;
  /** The limit that made us close the connection. */
  readonly cutBy: "stall_timeout" | "total_timeout" | null;
  readonly plan: {
    readonly wantedTokens: number | null;
    readonly stallTimeoutMs: number;
    readonly totalTimeoutMs: number;
  };
}

export interface Verdict {
  readonly outcome: Outcome;
  readonly detail: string | null;
}

/** Decides how a request ended. What the server said comes before what happened to the connection afterwards. */
export function outcomeOf(end: RequestEnd): Verdict {
  const { answer } = end;
  if (end.status !== null && end.status !== 200) return refused(end.status, end);
  if (answer.problem !== null) return answer.problem;
  if (end.status === 200 && !end.isStream) {
    const detail = `the answer is ${end.contentType}, text/event-stream is wanted: ${wordsOf(end.errorBody)}`;
    return { outcome: "sse_protocol", detail };
  }
  if (end.failure !== null && !answer.done) return broken(end, end.failure);
  if (!answer.done && answer.finishReason === null) return truncated(answer);
  if (answer.firstMs === null && answer.finishReason === null) return truncated(answer);
  const { wantedTokens } = end.plan;
  if (wantedTokens !== null && answer.outputTokens !== null && answer.outputTokens !== wantedTokens) {
    return { outcome: "length_mismatch", detail: `${answer.outputTokens} tokens, ${wantedTokens} were asked for` };
  }
  return { outcome: "ok", detail: null };
}

function refused(status: number, { errorBody }: RequestEnd): Verdict {
  const words = wordsOf(errorBody);
  const detail = words === "" ? `HTTP ${status}` : `HTTP ${status}: ${words}`;
  if (status === 429) return { outcome: "http_429", detail };
  if (status >= 500) return { outcome: "http_5xx", detail };
  return { outcome: status >= 400 ? "http_4xx" : "sse_protocol", detail };
}

function wordsOf(body: string): string {
  return errorMessageOf(body) ?? body.trim().slice(0, 200);
}

function broken({ cutBy, failureDetail, plan }: RequestEnd, failure: TransportFailure): Verdict {
  if (cutBy === "stall_timeout") return { outcome: cutBy, detail: `no event for ${plan.stallTimeoutMs} ms` };
  if (cutBy === "total_timeout") return { outcome: cutBy, detail: `not complete after ${plan.totalTimeoutMs} ms` };
  return { outcome: failure, detail: failureDetail };
}

function truncated(answer: Answer): Verdict {
  if (answer.pendingBytes > 0) return { outcome: "truncated", detail: "the stream ends inside an event" };
  if (answer.firstEventMs === null) return { outcome: "truncated", detail: "the stream ends without an event" };
  if (answer.firstMs === null) return { outcome: "truncated", detail: "the stream ends without a token" };
  return { outcome: "truncated", detail: "the stream ends without a finish reason and without [DONE]" };
}
