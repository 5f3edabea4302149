import type { Secret } from "../core/secret.ts";
import type { Clock } from "../ports/clock.ts";
import type { HttpRequest, ModelStream, TransportFailure } from "../ports/model-stream.ts";
import type { AnswerShape } from "../stream/answer-reader.ts";
import { exchangeReader } from "../stream/exchange-reader.ts";
import type { RequestTrace } from "./load-point.ts";
import { outcomeOf, type RequestEnd } from "./outcome-of.ts";

/** One request to measure, ready to go out. */
export interface RequestPlan {
  readonly index: number;
  readonly rid: string;
  readonly url: string;
  readonly body: string;
  readonly apiKey: Secret | null;
  /** Exact number of tokens the answer must have; null when the model may stop earlier. */
  readonly wantedTokens: number | null;
  readonly stallTimeoutMs: number;
  readonly totalTimeoutMs: number;
  /** Learned from the answers before; absent: nothing is known. */
  readonly shape?: AnswerShape;
}

export interface StartedRequest {
  /** Resolves when the request is over, however it ended. Never rejects. */
  readonly done: Promise<RequestTrace>;
  cancel(): void;
  /** Ends the request when a limit has passed. Returns when the next limit is due. */
  enforceLimits(nowMs: number): number;
}

/** When the load model wanted a request sent (null: now), and how long it then waited for the concurrency cap. */
export interface Due {
  readonly scheduledMs: number | null;
  readonly queuedMs: number;
}

/**
 * Sends one request and traces its answer.
 * An event counts as a sign of life, a keep-alive comment does not: a server that pings but makes no tokens has stalled.
 */
export function startRequest(
  models: ModelStream,
  clock: Clock,
  plan: RequestPlan,
  { scheduledMs, queuedMs }: Due,
): StartedRequest {
  const { promise, resolve } = withResolvers<RequestTrace>();
  let cutBy: RequestEnd["cutBy"] = null;
  let over = false;
  const sentMs = clock.nowMs();
  const exchange = exchangeReader(sentMs, plan.shape);

  function settle(failure: TransportFailure | null, failureDetail: string, endMs: number): void {
    over = true;
    const read = exchange.read();
    const times = { scheduledMs: scheduledMs ?? sentMs, queuedMs, sentMs, headersMs: read.headersMs, endMs };
    resolve(traceOf(plan, { ...read, failure, failureDetail, cutBy, plan }, times, handle.resent));
  }

  const handle = models.stream(httpRequestOf(plan), {
    onHeaders: exchange.onHeaders,
    onData(bytes, start, end, atMs) {
      if (exchange.onData(bytes, start, end, atMs)) handle.cancel();
    },
    onEnd: (atMs) => settle(null, "", atMs),
    onFailure: settle,
  });

  return {
    done: promise,
    cancel: () => handle.cancel(),
    enforceLimits(nowMs) {
      const stallMs = exchange.aliveMs() + plan.stallTimeoutMs;
      const totalMs = sentMs + plan.totalTimeoutMs;
      const dueMs = Math.min(stallMs, totalMs);
      if (over) return Number.POSITIVE_INFINITY;
      if (nowMs < dueMs) return dueMs;
      cutBy = totalMs <= stallMs ? "total_timeout" : "stall_timeout";
      handle.cancel();
      return Number.POSITIVE_INFINITY;
    },
  };
}

function httpRequestOf({ url, rid, body, apiKey }: RequestPlan): HttpRequest {
  return {
    method: "POST",
    url,
    headers: { "content-type": "application/json", accept: "text/event-stream", "x-request-id": rid },
    body,
    ...(apiKey === null ? {} : { apiKey }),
  };
}

function traceOf(
  { index, rid, wantedTokens }: RequestPlan,
  end: RequestEnd,
  times: Pick<RequestTrace, "scheduledMs" | "queuedMs" | "sentMs" | "headersMs" | "endMs">,
  resent: boolean,
): RequestTrace {
  const { done: _done, problem: _problem, pendingBytes: _pendingBytes, ...measured } = end.answer;
  // "length" says that the limit was reached, and with ignore_eos nothing else can end an answer.
  const tokensEstimated = measured.outputTokens === null && measured.finishReason === "length" && wantedTokens !== null;
  const outputTokens = tokensEstimated ? wantedTokens : measured.outputTokens;
  const answer = { ...measured, outputTokens, tokensEstimated };
  return { index, rid, httpStatus: end.status, ...outcomeOf(end), ...times, ...answer, resent };
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
