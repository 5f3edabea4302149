import type { Workload } from "../config/run-config.ts";
import { quantileOf } from "../measure/distribution.ts";
import type { RequestTrace } from "../measure/load-point.ts";
import { tpotMsOf, ttftMsOf } from "../measure/summarize.ts";
import type { InFlight } from "./in-flight.ts";

/** A part of a run in which requests are made for one purpose. */
export interface Phase {
  readonly kind: "first" | "warm-up" | "measure";
  readonly concurrency: number;
  readonly repeat: number;
  readonly total: number;
  /** Which measurement of the run this is or prepares, from 1; `of` is null when nobody knows how many there will be. */
  readonly place: { readonly index: number; readonly of: number | null };
}

/** Where a phase stands. Null: not known yet. */
export interface Progress {
  readonly workload: Workload;
  readonly phase: Phase;
  readonly done: number;
  readonly failed: number;
  readonly inFlight: number;
  /** Over the last seconds, tokens of unfinished answers too. */
  readonly tokS: number | null;
  readonly ttftP50Ms: number | null;
  readonly tpotP50Ms: number | null;
  readonly elapsedMs: number;
  readonly leftMs: number | null;
}

export interface PhaseProgress {
  /** A request is over. */
  add(trace: RequestTrace): void;
  /** Reads the counters. Costs the same however long the run is. */
  read(nowMs: number): Progress;
}

/** The medians shown are those of the last requests. */
const RECENT = 200;
/** "The last seconds" of the throughput. */
const WINDOW_MS = 5000;

/** Counts what happens in a phase: nothing at all per event, an addition per request. */
export function phaseProgress(
  workload: Workload,
  phase: Phase,
  requests: Pick<InFlight, "size" | "counted">,
  startedMs: number,
): PhaseProgress {
  const recent: RequestTrace[] = [];
  let samples: { readonly atMs: number; readonly events: number }[] = [{ atMs: startedMs, events: 0 }];
  let done = 0;
  let failed = 0;
  /** Events of requests that are over, and of the complete ones among them events and tokens. */
  const over = { events: 0, okEvents: 0, okTokens: 0 };

  const tokensPerEvent = () => (over.okEvents === 0 || over.okTokens === 0 ? 1 : over.okTokens / over.okEvents);

  function tokensPerSecond(events: number, nowMs: number): number | null {
    samples = [...samples.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS), { atMs: nowMs, events }];
    const [first, last] = [samples[0], samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return null;
    return (((last.events - first.events) * tokensPerEvent()) / (last.atMs - first.atMs)) * 1000;
  }

  return {
    add(trace) {
      done += 1;
      over.events += trace.chunkMs.length;
      if (trace.outcome !== "ok") {
        failed += 1;
        return;
      }
      recent[done % RECENT] = trace;
      over.okEvents += trace.chunkMs.length;
      over.okTokens += trace.outputTokens ?? 0;
    },
    read(nowMs) {
      const elapsedMs = Math.max(1, nowMs - startedMs);
      const unfinished = requests.counted();
      // An answer under way counts for the part of it that has come.
      const part = Math.min(requests.size, (unfinished * tokensPerEvent()) / workload.outputTokens);
      return {
        ...{ workload, phase, done, failed, inFlight: requests.size, elapsedMs },
        tokS: tokensPerSecond(over.events + unfinished, nowMs),
        ttftP50Ms: medianOf(recent, ttftMsOf),
        tpotP50Ms: medianOf(recent, tpotMsOf),
        leftMs: leftMs(workload, phase, done + part, elapsedMs),
      };
    },
  };
}

/** By the pace so far; a load that ends by time ends then, unless it runs out of requests first. */
function leftMs({ durationMs }: Workload, { kind, total }: Phase, done: number, elapsedMs: number): number | null {
  const byCount = done === 0 ? null : (elapsedMs / done) * Math.max(0, total - done);
  if (durationMs === undefined || kind !== "measure") return byCount;
  return Math.max(0, Math.min(durationMs - elapsedMs, byCount ?? Number.POSITIVE_INFINITY));
}

function medianOf(traces: readonly RequestTrace[], metric: (trace: RequestTrace) => number | null): number | null {
  // The array has holes until it is full; flatMap leaves them out.
  return quantileOf(
    traces.flatMap((trace) => metric(trace) ?? []),
    0.5,
  );
}
