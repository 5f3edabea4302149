import type { Status } from "../analyse/comparison.ts";

export interface GateDecision {
  readonly status: Status;
  readonly exitCode: number;
  /** One line for the log, the Action's output and the summary. */
  readonly sentence: string;
  readonly comparisonCount: number;
  readonly regressedMetrics: readonly string[];
  /** Largest minimum detectable effect over the judged metrics, in percent; null when nothing was compared. */
  readonly mdeMaxPct: number | null;
}
