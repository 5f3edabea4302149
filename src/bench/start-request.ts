import type { Secret } from "../core/secret.ts";
import type { RequestTrace } from "../measure/load-point.ts";
import { outcomeOf, type RequestEnd } from "../measure/outcome-of.ts";
import type { Clock } from "../ports/clock.ts";
import type { HttpRequest, ModelStream, TransportFailure } from "../ports/model-stream.ts";
import { type ExchangeReaders, exchangeReaders, type ReadExchange } from "../stream/exchange-reader.ts";

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
  /** Of the run that this request belongs to; absent: it belongs to none. */
  readonly readers?: ExchangeReaders;
}

export interface StartedRequest {
  /** Resolves when the request is over, however it ended. Never rejects. */
  readonly done: Promise<RequestTrace>;
  cancel(): void;
  /** Ends the request when a limit has passed. Returns when the next limit is due. */
  enforceLimits(nowMs: number): number;
  /** How many events that carry something have come so far. */
  counted(): number;
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
  models: Pick<ModelStream, "stream">,
  clock: Clock,
  plan: RequestPlan,
  due: Due,
): StartedRequest {
  const { readers = exchangeReaders(), stallTimeoutMs, totalTimeoutMs } = plan;
  let cutBy: RequestEnd["cutBy"] = null;
  let over = false;
  let resolve: (trace: RequestTrace) => void = () => {};
  const done = new Promise<RequestTrace>((settle) => {
    resolve = settle;
  });
  const sentMs = clock.nowMs();
  const exchange = readers.take(sentMs);

  const settle = (failure: TransportFailure | null, failureDetail: string, endMs: number): void => {
    over = true;
    const { scheduledMs, queuedMs } = due;
    const sending = { scheduledMs: scheduledMs ?? sentMs, queuedMs, sentMs, endMs };
    resolve(traceOf(plan, exchange.read(), { failure, failureDetail, cutBy }, sending, handle.resent));
    readers.give(exchange);
  };

  const handle = models.stream(httpRequestOf(plan), {
    onHeaders: exchange.onHeaders,
    onData(bytes, start, end, atMs) {
      if (exchange.onData(bytes, start, end, atMs)) handle.cancel();
    },
    onEnd: (atMs) => settle(null, "", atMs),
    onFailure: settle,
  });

  return {
    done,
    cancel: () => handle.cancel(),
    counted: () => (over ? 0 : exchange.counted()),
    enforceLimits(nowMs) {
      if (over) return Number.POSITIVE_INFINITY;
      const stallMs = exchange.aliveMs() + stallTimeoutMs;
      const totalMs = sentMs + totalTimeoutMs;
      const dueMs = Math.min(stallMs, totalMs);
      if (nowMs < dueMs) return dueMs;
      cutBy = totalMs <= stallMs ? "total_timeout" : "stall_timeout";
      handle.cancel();
      return Number.POSITIVE_INFINITY;
    },
  };
}

function httpRequestOf({ url, rid, body, apiKey }: RequestPlan): HttpRequest {
  const headers = { "content-type": "application/json", accept: "text/event-stream", "x-request-id": rid };
  return apiKey === null ? { method: "POST", url, headers, body } : { method: "POST", url, headers, body, apiKey };
}

/** Field by field: this is made for every request while others are measured, and spreads cost more than all else in it. */
function traceOf(
  plan: RequestPlan,
  read: ReadExchange,
  end: RequestEnd,
  sending: Pick<RequestTrace, "scheduledMs" | "queuedMs" | "sentMs" | "endMs">,
  resent: boolean,
): RequestTrace {
  const { times, details } = read.answer;
  const { outcome, detail } = outcomeOf(read, end, plan);
  // "length" says that the limit was reached, and with ignore_eos nothing else can end an answer.
  const tokensEstimated =
    details.outputTokens === null && details.finishReason === "length" && plan.wantedTokens !== null;
  return {
    index: plan.index,
    rid: plan.rid,
    id: details.id,
    outcome,
    detail,
    httpStatus: read.status,
    scheduledMs: sending.scheduledMs,
    sentMs: sending.sentMs,
    headersMs: read.headersMs,
    firstEventMs: times.firstEventMs,
    firstMs: times.firstMs,
    lastMs: times.lastMs,
    firstVisibleMs: times.firstVisibleMs,
    endMs: sending.endMs,
    promptTokens: details.promptTokens,
    outputTokens: tokensEstimated ? plan.wantedTokens : details.outputTokens,
    tokensEstimated,
    finishReason: details.finishReason,
    chunkMs: times.chunkMs,
    chunkTokens: details.chunkTokens,
    coalesced: times.coalesced,
    queuedMs: sending.queuedMs,
    resent,
  };
}
