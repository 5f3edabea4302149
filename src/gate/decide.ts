import type { Analysis, Comparison, Status } from "../analyse/comparison.ts";
import { METRICS } from "../analyse/metric-definition.ts";
import type { GateSpec, MetricName } from "../config/run-config.ts";
import { ERROR_CODES } from "../core/app-error.ts";
import { whyNotEligible } from "../record/eligibility.ts";
import { levelLabel } from "../record/level-label.ts";
import type { RunRecord } from "../record/run-record.ts";
import { formatChange, formatInterval, formatValue } from "../report/format-value.ts";
import type { GateDecision } from "./gate-decision.ts";

const GATE_FAILED = 1;

/**
 * Turns an analysis into one sentence and an exit code: 0 pass, 1 gate failed, 5 measurement invalid.
 * With mode "warn" nothing exits with 1, and the sentence says that it would have.
 */
export function decide(
  analysis: Analysis,
  gate: Pick<GateSpec, "mode" | "onInconclusive" | "requireComparison">,
  record: RunRecord,
): GateDecision {
  const { status, comparisons } = analysis;
  const wanted = exitCodeOf(status, gate);
  const isSpared = wanted === GATE_FAILED && gate.mode === "warn";
  const exitCode = isSpared ? 0 : wanted;
  return {
    status,
    exitCode,
    sentence: `${status}${noteOn(status, exitCode, isSpared)}: ${describe(analysis, gate, record)}`,
    comparisonCount: comparisons.filter(wasCompared).length,
    regressedMetrics: comparisons.filter((c) => c.status === "REGRESSION").map((c) => `${c.metric} ${levelLabel(c)}`),
    mdeMaxPct: worstDetectable(comparisons).reduce<number | null>((max, [, pct]) => Math.max(max ?? 0, pct), null),
  };
}

function exitCodeOf(status: Status, gate: Pick<GateSpec, "onInconclusive" | "requireComparison">): number {
  switch (status) {
    case "PASS":
    case "IMPROVED":
    case "IDENTICAL":
      return 0;
    case "REGRESSION":
      return GATE_FAILED;
    case "INCONCLUSIVE":
      return gate.onInconclusive === "fail" ? GATE_FAILED : 0;
    case "CALIBRATING":
    case "RECIPE_MISMATCH":
      return gate.requireComparison ? GATE_FAILED : 0;
    case "INVALID":
      return ERROR_CODES.BENCH_INVALID.exitCode;
  }
}

function noteOn(status: Status, exitCode: number, isSpared: boolean): string {
  if (isSpared) return ' (not failing, since gate mode is "warn")';
  return status === "INCONCLUSIVE" && exitCode === 0 ? " (not failing)" : "";
}

function describe(analysis: Analysis, gate: Pick<GateSpec, "requireComparison">, record: RunRecord): string {
  const where = record.simulated ? `${record.host} (simulated)` : record.host;
  switch (analysis.status) {
    case "PASS":
    case "IDENTICAL":
      return describePass(analysis, where);
    case "REGRESSION":
    case "IMPROVED":
      return `${describeWorst(analysis, where)}${othersLike(analysis)}${environmentOf(analysis)}`;
    case "INCONCLUSIVE":
      return `${describeWorst(analysis, where)}${othersLike(analysis)}${environmentOf(analysis)}; more repeats would tell`;
    case "CALIBRATING":
    case "RECIPE_MISMATCH": {
      const required = gate.requireComparison ? "; a comparison is required" : "";
      return `${analysis.because}${required}; ${futureOf(record)}`;
    }
    case "INVALID":
      return `the measurement on ${where} cannot be trusted: ${analysis.because}`;
  }
}

function describePass({ comparisons, baselineRunId }: Analysis, where: string): string {
  const detectable = worstDetectable(comparisons);
  const limits = detectable.map(([metric, pct]) => `${METRICS[metric].label} ${pct.toFixed(1)} %`);
  const shown = limits.length > 0 ? ` (detectable: ${limits.join(", ")})` : "";
  return `no regression in ${comparisons.length} comparisons with ${baselineRunId ?? "nothing"} on ${where}${shown}`;
}

/** The largest detectable change per metric: what this run could at least have seen everywhere. */
function worstDetectable(comparisons: readonly Comparison[]): [MetricName, number][] {
  const worst = new Map<MetricName, number>();
  for (const { metric, mdePct } of comparisons) {
    if (mdePct !== null) worst.set(metric, Math.max(mdePct, worst.get(metric) ?? 0));
  }
  return [...worst];
}

function describeWorst({ comparisons, status, because }: Analysis, where: string): string {
  const [worst] = comparisons.filter((comparison) => comparison.status === status).sort(byWeight);
  if (worst === undefined) return because;
  const { label } = METRICS[worst.metric];
  const interval = formatInterval(worst.ciLowPct, worst.ciHighPct);
  const values = `was ${formatValue(worst.baseline?.center ?? null)}, is ${formatValue(worst.current.center)} ${worst.unit}`;
  const change = `${label} ${formatChange(worst.changePct)} % (95 % CI ${interval}, budget ${worst.rule.budgetPct} %)`;
  return `${change} at ${levelLabel(worst)} on ${where}; ${values}`;
}

/** Throughput speaks for its load point; among equals, the largest change. */
function byWeight(a: Comparison, b: Comparison): number {
  const isThroughput = (comparison: Comparison) => Number(comparison.direction === "higher");
  return isThroughput(b) - isThroughput(a) || Math.abs(b.changePct ?? 0) - Math.abs(a.changePct ?? 0);
}

function othersLike({ comparisons, status }: Analysis): string {
  const others = comparisons.filter((comparison) => comparison.status === status).length - 1;
  return others > 0 ? `; and ${others} more` : "";
}

/** A change of the environment may be the cause, and the reader should not have to look for it. */
function environmentOf({ differences }: Analysis): string {
  if (differences.length === 0) return "";
  const named = differences.slice(0, 3).map(({ field, baseline, current }) => `${field} ${baseline} -> ${current}`);
  const more = differences.length > named.length ? ` and ${differences.length - named.length} more` : "";
  return `; the environment changed: ${named.join(", ")}${more}`;
}

function futureOf(record: RunRecord): string {
  if (record.eligible) return "this run is kept as a baseline";
  return `this run is no baseline: ${whyNotEligible(record) ?? "it is marked as not eligible"}`;
}

function wasCompared({ status }: Comparison): boolean {
  return status !== "CALIBRATING" && status !== "RECIPE_MISMATCH" && status !== "INVALID";
}
