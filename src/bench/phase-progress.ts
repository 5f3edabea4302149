import type { Workload } from "../inputs/run-config.ts";
import { quantileOf } from "./distribution.ts";
import type { RequestTrace } from "./load-point.ts";
import { tpotMsOf, ttftMsOf } from "./summarize.ts";

/** A part of a run in which requests are made for one purpose. */
export interface Phase {
  readonly kind: "first" | "warm-up" | "measure";
  readonly concurrency: number;
  readonly repeat: number;
  readonly total: number;
}

/** The medians shown are those of the last requests: a line costs the same however long the run is. */
const RECENT = 200;
const EVERY_MS = 200;

/** Follows one phase. `add` returns a line to show, or null when one was shown a moment ago. */
export function phaseProgress(workload: Workload, phase: Phase, startedMs: number) {
  const recent: RequestTrace[] = [];
  let done = 0;
  let failed = 0;
  let tokens = 0;
  let shownMs = Number.NEGATIVE_INFINITY;

  return {
    add(trace: RequestTrace, inFlight: number, nowMs: number): string | null {
      done += 1;
      tokens += trace.outputTokens ?? 0;
      if (trace.outcome === "ok") recent[done % RECENT] = trace;
      else failed += 1;
      if (nowMs - shownMs < EVERY_MS && done < phase.total) return null;
      shownMs = nowMs;
      const elapsedMs = Math.max(1, nowMs - startedMs);
      const leftMs = (elapsedMs / done) * (phase.total - done);
      return [
        `${workload.name} ${loadOf(workload, phase)} ${purposeOf(workload, phase)}`,
        `${done}/${phase.total} done, ${failed} failed, ${inFlight} in flight`,
        `${((tokens / elapsedMs) * 1000).toFixed(1)} tok/s`,
        `TTFT p50 ${median(recent, ttftMsOf)}, TPOT p50 ${median(recent, tpotMsOf)}`,
        `${Math.ceil(leftMs / 1000)} s left`,
      ].join(" | ");
    },
  };
}

function loadOf(workload: Workload, { concurrency }: Phase): string {
  return workload.requestRate === null ? `c=${concurrency}` : `${workload.requestRate} req/s`;
}

function purposeOf(workload: Workload, { kind, repeat }: Phase): string {
  return kind === "measure" ? `repeat ${repeat + 1}/${workload.repeats}` : kind;
}

function median(traces: readonly RequestTrace[], metric: (trace: RequestTrace) => number | null): string {
  // The array has holes until it is full; flatMap leaves them out.
  const values = traces.flatMap((trace) => metric(trace) ?? []);
  const ms = quantileOf(values, 0.5);
  return ms === null ? "-" : `${ms.toFixed(1)} ms`;
}
