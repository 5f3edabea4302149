import type { Workload } from "../config/run-config.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import type { TraceRow } from "../prompts/trace-file.ts";

/** One measurement to make. */
export interface Level {
  readonly concurrency: number;
  /** Null: closed loop at `concurrency`. */
  readonly requestRate: number | null;
  /** 0-based. */
  readonly repeat: number;
  readonly requests: number;
}

/** What to measure next, from the points so far; null: nothing any more. */
export type NextLevel = (points: readonly LoadPoint[]) => Level | null;

/** All levels, then all again, so that a slow drift of the machine does not look like an effect of the load. */
export function everyLevel(workload: Workload, traceRows: readonly TraceRow[] | undefined): NextLevel {
  const { concurrency: levels, repeats, trace } = workload;
  const load =
    trace === undefined || traceRows === undefined
      ? { requestRate: workload.requestRate, requests: workload.requestsPerLevel }
      : { requestRate: meanRate(traceRows, trace.speed), requests: traceRows.length };
  return ({ length }) => {
    const repeat = Math.floor(length / levels.length);
    const concurrency = levels[length % levels.length];
    return repeat >= repeats || concurrency === undefined ? null : { concurrency, repeat, ...load };
  };
}

/** Requests per second of a replay, to three digits: a name for the level. When all come at once: their number. */
function meanRate(rows: readonly TraceRow[], speed: number): number {
  const spanS = (rows.at(-1)?.atMs ?? 0) / 1000 / speed;
  return Number((spanS > 0 ? (rows.length - 1) / spanS : rows.length).toPrecision(3));
}
