import type { Workload } from "../config/run-config.ts";
import { distributionOf } from "./distribution.ts";
import type { LoadPointMetrics, RequestTrace } from "./load-point.ts";

/**
 * Metrics of one load point over its whole run. Latencies are those of complete requests; every request counts in
 * the denominators. Throughput is what complete requests brought, over the time from the first scheduled request to
 * the end of the last one. Formulas: docs/measuring.md.
 */
export function summarize(traces: readonly RequestTrace[], slo: Workload["slo"] | null = null): LoadPointMetrics {
  const ok = traces.filter((trace) => trace.outcome === "ok");
  const seconds = durationMsOf(traces) / 1000;
  const outputTokens = sumOrNull(ok.map((trace) => trace.outputTokens));
  const promptTokens = sumOrNull(ok.map((trace) => trace.promptTokens));
  const chunks = ok.reduce((sum, trace) => sum + trace.chunkMs.length, 0);
  const totalTokens = outputTokens === null || promptTokens === null ? null : outputTokens + promptTokens;
  const tpotMs = known(ok.map(tpotMsOf));
  return {
    outputTokS: rate(outputTokens, seconds),
    totalTokS: rate(totalTokens, seconds),
    requestS: rate(ok.length === 0 ? null : ok.length, seconds),
    successRatio: traces.length === 0 ? 0 : ok.length / traces.length,
    promptTokens,
    outputTokens,
    tokensPerChunk: outputTokens === null || chunks === 0 ? null : outputTokens / chunks,
    ttftMs: distributionOf(known(ok.map(ttftMsOf))),
    tpotMs: distributionOf(tpotMs),
    e2eMs: distributionOf(known(ok.map(e2eMsOf))),
    chunkGapMs: distributionOf(chunkGaps(ok)),
    userTokS: distributionOf(tpotMs.map((ms) => 1000 / ms)),
    headersMs: distributionOf(known(ok.map((trace) => since(trace.scheduledMs, trace.headersMs)))),
    firstEventMs: distributionOf(known(ok.map((trace) => since(trace.scheduledMs, trace.firstEventMs)))),
    visibleTtftMs: distributionOf(known(ok.map((trace) => since(trace.scheduledMs, trace.firstVisibleMs)))),
    itlMs: distributionOf(tokenGaps(ok)),
    latenessMs: distributionOf(traces.map(latenessMsOf)),
    queuedMs: distributionOf(traces.map((trace) => trace.queuedMs)),
    longestGapMs: distributionOf(known(ok.map(longestGapMsOf))),
    goodput: slo === null || slo === undefined ? null : goodputOf(ok, slo, traces.length, seconds),
    coalescedRatio: chunks === 0 ? null : ok.reduce((sum, trace) => sum + trace.coalesced, 0) / chunks,
  };
}

/** From the first scheduled request to the end of the last one, failed ones too; 0 without requests. */
export function durationMsOf(traces: readonly RequestTrace[]): number {
  const start = traces.reduce((least, trace) => Math.min(least, trace.scheduledMs), Number.POSITIVE_INFINITY);
  const end = traces.reduce((most, trace) => Math.max(most, trace.endMs), start);
  return traces.length === 0 ? 0 : end - start;
}

/** How late this client was; a wait for the concurrency cap was asked for. */
export function latenessMsOf(trace: RequestTrace): number {
  return trace.sentMs - trace.scheduledMs - trace.queuedMs;
}

/** Time to first token, from when the request was due: in an open loop a late start counts against the answer. */
export function ttftMsOf(trace: RequestTrace): number | null {
  return since(trace.scheduledMs, trace.firstMs);
}

/** End to end: until the last token, so that E2E = TTFT + TPOT x (n - 1). */
export function e2eMsOf(trace: RequestTrace): number | null {
  return since(trace.scheduledMs, trace.lastMs);
}

/** Time per output token after the first: (last - first) / (n - 1), n from the server's usage. Null with one event. */
export function tpotMsOf(trace: RequestTrace): number | null {
  const { firstMs, lastMs, outputTokens } = trace;
  if (firstMs === null || lastMs === null || outputTokens === null || outputTokens < 2) return null;
  return lastMs > firstMs ? (lastMs - firstMs) / (outputTokens - 1) : null;
}

/** A request that failed, or whose time is not known, is not good. */
function goodputOf(ok: readonly RequestTrace[], slo: NonNullable<Workload["slo"]>, all: number, seconds: number) {
  const keeps = (ms: number | null, limitMs: number | undefined) =>
    limitMs === undefined || (ms !== null && ms <= limitMs);
  const good = ok.filter(
    (trace) =>
      keeps(ttftMsOf(trace), slo.ttftMs) && keeps(tpotMsOf(trace), slo.tpotMs) && keeps(e2eMsOf(trace), slo.e2eMs),
  ).length;
  return all === 0 || seconds <= 0 ? null : { ratio: good / all, requestS: good / seconds };
}

function longestGapMsOf({ chunkMs }: RequestTrace): number | null {
  return chunkMs.length < 2 ? null : gapsOf(chunkMs).reduce((most, gap) => Math.max(most, gap), 0);
}

function chunkGaps(traces: readonly RequestTrace[]): Float64Array {
  const gaps = traces.map((trace) => gapsOf(trace.chunkMs));
  const all = new Float64Array(gaps.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const some of gaps) {
    all.set(some, at);
    at += some.length;
  }
  return all;
}

/** A gap before a chunk of k tokens is k samples of gap / k; empty unless every answer says its k. */
function tokenGaps(traces: readonly RequestTrace[]): number[] {
  if (traces.some((trace) => trace.chunkTokens === null)) return [];
  return traces.flatMap(({ chunkMs, chunkTokens }) =>
    [...gapsOf(chunkMs)].flatMap((gap, at) => {
      const tokens = chunkTokens?.[at + 1] ?? 0;
      return Array.from({ length: tokens }, () => gap / tokens);
    }),
  );
}

/** Times between neighbours. */
export function gapsOf(times: Float64Array): Float64Array {
  return times.subarray(1).map((time, at) => time - (times[at] as number));
}

function since(fromMs: number, toMs: number | null): number | null {
  return toMs === null ? null : toMs - fromMs;
}

function known(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}

/** Null when one is not known, or when there is none: a sum over part of the requests is no total. */
function sumOrNull(values: readonly (number | null)[]): number | null {
  const numbers = known(values);
  return values.length === 0 || numbers.length < values.length ? null : numbers.reduce((sum, value) => sum + value, 0);
}

function rate(amount: number | null, seconds: number): number | null {
  return amount === null || seconds <= 0 ? null : amount / seconds;
}
