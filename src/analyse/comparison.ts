import type { GateRule, MetricName } from "../config/run-config.ts";

export type Direction = "higher" | "lower";

/** One metric at one load point, one value per repeat. */
export interface Sample {
  readonly metric: MetricName;
  readonly unit: string;
  readonly direction: Direction;
  readonly workload: string;
  readonly concurrency: number;
  /** Requests per second of an open loop; null in a closed loop. */
  readonly requestRate: number | null;
  readonly values: readonly number[];
}

export interface Summary {
  readonly n: number;
  /** Geometric mean, with repeats far off the median pulled in. */
  readonly center: number | null;
  /** Standard deviation of the repeats; null with fewer than two. */
  readonly sd: number | null;
}

/** Statuses of a comparison. Only the first three are good news. */
export type Status =
  | "PASS"
  | "IMPROVED"
  | "IDENTICAL"
  | "REGRESSION"
  | "INCONCLUSIVE"
  | "CALIBRATING"
  | "RECIPE_MISMATCH"
  | "INVALID";

export interface Comparison {
  readonly rule: GateRule;
  readonly metric: MetricName;
  readonly unit: string;
  readonly direction: Direction;
  readonly workload: string;
  readonly concurrency: number;
  readonly requestRate: number | null;
  readonly baseline: Summary | null;
  readonly current: Summary;
  /** Signed change of the value in percent: +5 means the value is 5 % larger, whatever the direction. */
  readonly changePct: number | null;
  /** Two-sided 95 % confidence interval of the change. */
  readonly ciLowPct: number | null;
  readonly ciHighPct: number | null;
  /** Smallest change for the worse, in percent, that this comparison finds with probability 0.8. */
  readonly mdePct: number | null;
  /** How often chance alone looks this much worse, corrected for the number of comparisons (Holm). */
  readonly pWorse: number | null;
  readonly status: Status;
  /** One sentence: why this status. */
  readonly because: string;
}

export interface Analysis {
  readonly comparisons: readonly Comparison[];
  /** Worst status over the gated comparisons. */
  readonly status: Status;
  readonly because: string;
  /** What the current record was compared with; null: nothing. */
  readonly baselineRunId: string | null;
  /** Soft fingerprint fields that differ, and hard ones when the comparison was refused. */
  readonly differences: readonly { readonly field: string; readonly baseline: string; readonly current: string }[];
  readonly warnings: readonly string[];
}
