import type { GateRule } from "../config/run-config.ts";
import type { Comparison, Sample, Summary } from "./comparison.ts";
import { mean, standardDeviation } from "./sample-statistics.ts";

/** The hard rule on success: every repeat has to reach the minimum; no statistics can excuse a failed request. */
export function successComparison(
  baseline: Sample | null,
  current: Sample,
  rule: GateRule,
  minSuccessRatio: number,
): Comparison {
  const { metric, unit, direction, workload, concurrency, requestRate } = current;
  const worst = Math.min(...current.values);
  const holds = worst >= minSuccessRatio;
  return {
    rule,
    ...{ metric, unit, direction, workload, concurrency, requestRate },
    baseline: baseline === null ? null : summary(baseline.values),
    current: summary(current.values),
    changePct: null,
    ciLowPct: null,
    ciHighPct: null,
    mdePct: null,
    pWorse: null,
    status: holds ? "PASS" : "INVALID",
    because: `the worst of ${current.values.length} repeats is ${worst}, ${minSuccessRatio} is wanted`,
  };
}

/** Arithmetic, unlike the other metrics: a ratio of zero is a value here. */
function summary(values: readonly number[]): Summary {
  return { n: values.length, center: mean(values), sd: standardDeviation(values) };
}
