import type { Status } from "../analyse/comparison.ts";

export interface GateDecision {
  readonly status: Status;
  readonly exitCode: number;
  /** One line for the log, the Action's output and the summary. */
  readonly sentence: string;
  readonly comparisonCount: number;
  readonly regressedMetrics: readonly string[];
}
