import { distributionOf } from "./distribution.ts";
import { littlesLawOf, type Window } from "./littles-law.ts";
import type { Plateau, RequestTrace } from "./load-point.ts";
import { e2eMsOf, tpotMsOf, ttftMsOf } from "./summarize.ts";

/** Full load: this share of the level is in flight. */
const FULL = 0.95;
/** A plateau shorter than so many median answers, or than this share of the run, says nothing. */
const LEAST_ANSWERS = 3;
const LEAST_SHARE = 0.1;

/**
 * The part of a run under full load, without the ramp at its start and the last answers at its end. Closed loop: from
 * when 95 % of the level are in flight for the first time until they are for the last time. Open loop (`concurrency`
 * null): from the first complete answer to the last arrival. Null when it is too short to stand for anything.
 */
export function plateauOf(traces: readonly RequestTrace[], concurrency: number | null): Plateau | null {
  const ok = traces.filter((trace) => trace.outcome === "ok");
  const window = concurrency === null ? betweenArrivals(traces, ok) : atFullLoad(traces, concurrency * FULL);
  if (window === null) return null;
  const { fromMs, toMs } = window;
  const startMs = Math.min(...traces.map((trace) => trace.scheduledMs));
  const endMs = Math.max(...traces.map((trace) => trace.endMs));
  const medianAnswerMs = distributionOf(ok.map((trace) => trace.endMs - trace.scheduledMs))?.p50 ?? null;
  const durationMs = toMs - fromMs;
  const leastMs = Math.max(
    LEAST_ANSWERS * (medianAnswerMs ?? Number.POSITIVE_INFINITY),
    LEAST_SHARE * (endMs - startMs),
  );
  if (durationMs < leastMs) return null;

  const sent = ok.filter((trace) => trace.scheduledMs >= fromMs && trace.scheduledMs <= toMs);
  const ended = ok.filter((trace) => trace.endMs >= fromMs && trace.endMs <= toMs);
  const tokens = tokensBetween(ok, fromMs, toMs);
  return {
    fromMs: fromMs - startMs,
    durationMs,
    requests: sent.length,
    outputTokS: tokens === null ? null : (tokens * 1000) / durationMs,
    requestS: (ended.length * 1000) / durationMs,
    ttftMs: distributionOf(known(sent.map(ttftMsOf))),
    tpotMs: distributionOf(known(sent.map(tpotMsOf))),
    e2eMs: distributionOf(known(sent.map(e2eMsOf))),
    littlesLaw: littlesLawOf(traces, window, concurrency === null),
  };
}

function atFullLoad(traces: readonly RequestTrace[], level: number): Window | null {
  const edges = traces.flatMap(({ sentMs, endMs }) => [
    { atMs: sentMs, change: 1 },
    { atMs: endMs, change: -1 },
  ]);
  edges.sort((a, b) => a.atMs - b.atMs || b.change - a.change);
  let inFlight = 0;
  let fromMs: number | null = null;
  let toMs: number | null = null;
  for (const { atMs, change } of edges) {
    const wasFull = inFlight >= level;
    inFlight += change;
    if (!wasFull && inFlight >= level) fromMs ??= atMs;
    if (wasFull && inFlight < level) toMs = atMs;
  }
  return fromMs === null || toMs === null ? null : { fromMs, toMs };
}

function betweenArrivals(traces: readonly RequestTrace[], ok: readonly RequestTrace[]): Window | null {
  if (ok.length === 0) return null;
  const fromMs = Math.min(...ok.map((trace) => trace.endMs));
  const toMs = Math.max(...traces.map((trace) => trace.scheduledMs));
  return toMs > fromMs ? { fromMs, toMs } : null;
}

/** Tokens that arrived in a window: exact where the server counts each chunk, else an answer's tokens spread evenly. */
function tokensBetween(ok: readonly RequestTrace[], fromMs: number, toMs: number): number | null {
  let tokens = 0;
  for (const { chunkMs, chunkTokens, outputTokens } of ok) {
    if (outputTokens === null) return null;
    for (const [at, ms] of chunkMs.entries()) {
      if (ms > fromMs && ms <= toMs) tokens += chunkTokens?.[at] ?? outputTokens / chunkMs.length;
    }
  }
  return tokens;
}

function known(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}
