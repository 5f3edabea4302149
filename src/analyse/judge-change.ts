import type { GateRule } from "../config/run-config.ts";
import type { ChangeEstimate } from "./change-estimate.ts";
import type { Direction, Status } from "./comparison.ts";
import { studentQuantile, studentUpperTail } from "./student-t.ts";

/** The interval that reports show. */
const CONFIDENCE = 0.95;
const POWER = 0.8;
/** The chance of a wrong pass that all looks together may have, one-sided. */
const BETA = 0.05;

/** What the other comparisons of the same run leave to this one. */
export interface Multiplicity {
  readonly alpha: number;
  readonly size: number;
  /** How often the data may be looked at: each look has its share of alpha and beta (Bonferroni). */
  readonly looks: number;
  /** One-sided p values of this comparison after Holm's correction. */
  readonly pWorse: number;
  readonly pBetter: number;
}

export interface Judgement {
  readonly status: Extract<Status, "PASS" | "IMPROVED" | "REGRESSION" | "INCONCLUSIVE">;
  readonly because: string;
  readonly ciLowLog: number;
  readonly ciHighLog: number;
  /** Smallest change for the worse, as a logarithm, that this comparison finds with probability 0.8. */
  readonly mdeLog: number;
}

/**
 * REGRESSION: chance is excluded, and mean, median and absolute change all exceed what counts. IMPROVED: the same on
 * the other side. PASS: the confidence interval excludes a change for the worse of the budget. Else INCONCLUSIVE.
 */
export function judgeChange(
  estimate: ChangeEstimate,
  rule: GateRule,
  direction: Direction,
  family: Multiplicity,
): Judgement {
  const counts = smallestThatCounts(estimate, rule, direction);
  const budget = Math.max(worseLog(rule.budgetPct, direction), floorLog(estimate, rule, direction));
  const marginOf = (confidence: number) =>
    studentQuantile((1 + confidence) / 2, estimate.degreesOfFreedom) * estimate.standardError;
  const margin = marginOf(CONFIDENCE);
  const passing = passConfidence(family);
  const worse = worseBy(estimate, direction);
  const shown = {
    ciLowLog: estimate.meanLog - margin,
    ciHighLog: estimate.meanLog + margin,
    mdeLog: detectable(estimate, counts, family),
  };
  const judged = (status: Judgement["status"], because: string): Judgement => ({ status, because, ...shown });

  const alpha = family.alpha / family.looks;
  if (family.pWorse < alpha && exceeds(worse, counts)) {
    return judged(
      "REGRESSION",
      `worse by more than the ${rule.deltaPct} % that count; ${oddsOf(family.pWorse, family)}`,
    );
  }
  if (family.pBetter < alpha && exceeds(negated(worse), counts)) {
    return judged(
      "IMPROVED",
      `better by more than the ${rule.deltaPct} % that count; ${oddsOf(family.pBetter, family)}`,
    );
  }
  if (!Number.isFinite(budget)) {
    return judged("INCONCLUSIVE", `the floor of ${rule.floor} is as large as the value: this gate can never fail`);
  }
  const interval = `the ${Number((100 * passing).toFixed(1))} % interval`;
  if (worse.mean + marginOf(passing) < budget) {
    return judged("PASS", `${interval} excludes a change for the worse of ${rule.budgetPct} %`);
  }
  return judged("INCONCLUSIVE", `${interval} includes both no regression and one of ${rule.budgetPct} %`);
}

/** One look is judged by the interval that reports show; several share the chance of a wrong pass. */
function passConfidence({ looks }: Multiplicity): number {
  return looks === 1 ? CONFIDENCE : 1 - (2 * BETA) / looks;
}

/** One-sided p values before any correction. */
export function pValues(estimate: ChangeEstimate, direction: Direction): { pWorse: number; pBetter: number } {
  const t = worseBy(estimate, direction).mean / estimate.standardError;
  const { degreesOfFreedom } = estimate;
  return { pWorse: studentUpperTail(t, degreesOfFreedom), pBetter: studentUpperTail(-t, degreesOfFreedom) };
}

/** A change for the worse of `pct` percent as a positive logarithm: the value falls or rises by exactly that share. */
export function worseLog(pct: number, direction: Direction): number {
  if (direction === "lower") return Math.log1p(pct / 100);
  return pct >= 100 ? Number.POSITIVE_INFINITY : -Math.log1p(-pct / 100);
}

interface Worse {
  readonly mean: number;
  readonly median: number;
  /** In the unit of the metric. */
  readonly absolute: number;
}

function worseBy(estimate: ChangeEstimate, direction: Direction): Worse {
  const sign = direction === "higher" ? -1 : 1;
  const absolute = (estimate.baseline.center ?? 0) * Math.expm1(estimate.meanLog);
  return { mean: sign * estimate.meanLog, median: sign * estimate.medianLog, absolute: sign * absolute };
}

function negated(worse: Worse): Worse {
  return { mean: -worse.mean, median: -worse.median, absolute: -worse.absolute };
}

interface Threshold {
  readonly log: number;
  readonly floor: number;
  readonly floorLog: number;
}

function smallestThatCounts(estimate: ChangeEstimate, rule: GateRule, direction: Direction): Threshold {
  return {
    log: worseLog(rule.deltaPct, direction),
    floor: rule.floor ?? 0,
    floorLog: floorLog(estimate, rule, direction),
  };
}

function exceeds(worse: Worse, counts: Threshold): boolean {
  return worse.mean > counts.log && worse.median > counts.log && worse.absolute > counts.floor;
}

function floorLog(estimate: ChangeEstimate, rule: GateRule, direction: Direction): number {
  return worseLog((100 * (rule.floor ?? 0)) / (estimate.baseline.center ?? 1), direction);
}

/** By the first, strictest step of Holm, so that the promise holds whatever the other comparisons show. */
function detectable(estimate: ChangeEstimate, counts: Threshold, family: Multiplicity): number {
  const { standardError, degreesOfFreedom } = estimate;
  const significant = studentQuantile(1 - family.alpha / family.size / family.looks, degreesOfFreedom) * standardError;
  const needed = Math.max(significant, counts.log, counts.floorLog);
  return needed + studentQuantile(POWER, degreesOfFreedom) * standardError;
}

function oddsOf(p: number, family: Multiplicity): string {
  const shown = p < 0.0001 ? "p < 0.0001" : `p = ${Number(p.toPrecision(2))}`;
  return `chance alone ${shown}${family.size > 1 ? `, corrected for ${family.size} comparisons` : ""}`;
}
