import type { RequestTrace } from "./load-point.ts";
import { e2eMsOf, tpotMsOf, ttftMsOf } from "./summarize.ts";

/**
 * One line of `--save-requests`: JSON with times as integers of CLOCK_MONOTONIC nanoseconds. `ttftMs` and `e2eMs`
 * count from the scheduled time, which is `sentNs` unless arrivals were scheduled. Null: it did not happen.
 */
export function savedRequestLine(trace: RequestTrace): string {
  return `${JSON.stringify({
    id: trace.id,
    rid: trace.rid,
    scheduledNs: nsOf(trace.scheduledMs),
    sentNs: nsOf(trace.sentMs),
    headersNs: nsOf(trace.headersMs),
    firstNs: nsOf(trace.firstMs),
    lastNs: nsOf(trace.lastMs),
    endNs: nsOf(trace.endMs),
    promptTokens: trace.promptTokens,
    tokens: trace.outputTokens,
    tokensEstimated: trace.tokensEstimated,
    outcome: trace.outcome,
    detail: trace.detail,
    finishReason: trace.finishReason,
    ttftMs: ttftMsOf(trace),
    tpotMs: tpotMsOf(trace),
    e2eMs: e2eMsOf(trace),
    chunkNs: Array.from(trace.chunkMs, nsOf),
    resent: trace.resent,
    ...trace.turn,
  })}\n`;
}

function nsOf(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1e6);
}
