import type { RequestTrace } from "../../src/measure/load-point.ts";

/** A complete answer of `tokens` tokens, one in each chunk; a test states only what differs. */
export function requestTrace(
  changed: Partial<RequestTrace> & { sentMs?: number; ttftMs?: number; itlMs?: number; tokens?: number } = {},
): RequestTrace {
  const { ttftMs = 100, itlMs = 10, tokens = 5, ...fields } = changed;
  const sentMs = fields.sentMs ?? 1000;
  const chunkMs = Float64Array.from({ length: tokens }, (_, at) => sentMs + ttftMs + at * itlMs);
  return {
    index: 0,
    rid: "arc-1",
    id: "cmpl-1",
    outcome: "ok",
    detail: null,
    httpStatus: 200,
    scheduledMs: sentMs,
    queuedMs: 0,
    sentMs,
    headersMs: sentMs + 5,
    firstEventMs: chunkMs[0] ?? null,
    firstMs: chunkMs[0] ?? null,
    lastMs: chunkMs.at(-1) ?? null,
    firstVisibleMs: chunkMs[0] ?? null,
    endMs: (chunkMs.at(-1) ?? sentMs) + 1,
    promptTokens: 20,
    outputTokens: tokens,
    tokensEstimated: false,
    finishReason: "length",
    chunkMs,
    chunkTokens: null,
    coalesced: 0,
    resent: false,
    ...fields,
  };
}

/** A request that the server broke off after two tokens. */
export function brokenTrace(changed: Partial<RequestTrace> = {}): RequestTrace {
  const partial = requestTrace({ tokens: 2 });
  return {
    ...partial,
    outcome: "reset",
    detail: "read ECONNRESET",
    outputTokens: null,
    finishReason: null,
    ...changed,
  };
}
