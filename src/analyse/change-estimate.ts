import type { Summary } from "./comparison.ts";

/** How much a metric changed, as natural logarithms of current over baseline: one form for every design of experiment. */
export interface ChangeEstimate {
  readonly baseline: Summary;
  readonly current: Summary;
  readonly meanLog: number;
  readonly medianLog: number;
  readonly standardError: number;
  readonly degreesOfFreedom: number;
  /** What a reader has to know about how this was estimated. */
  readonly notes: readonly string[];
}
