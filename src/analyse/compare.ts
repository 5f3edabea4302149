import type { GateRule } from "../config/run-config.ts";
import { isMeasured } from "../record/metric-value.ts";
import type { ChangeEstimate } from "./change-estimate.ts";
import type { Comparison, Sample, Status, Summary } from "./comparison.ts";
import { type Design, UNPAIRED } from "./design.ts";
import { familyAlpha, holmAdjusted } from "./holm.ts";
import { judgeChange, type Multiplicity, pValues } from "./judge-change.ts";
import { standardDeviation } from "./sample-statistics.ts";

/** Two samples of one metric at one load point, and the rule that judges them. */
export interface Match {
  /** Null: the baseline has no such load point. */
  readonly baseline: Sample | null;
  readonly current: Sample;
  readonly rule: GateRule;
}

/** Compares two samples by one rule, alone in its family. Zero, NaN and missing values are INVALID, never PASS. */
export function compare(baseline: Sample, current: Sample, rule: GateRule): Comparison {
  const [comparison] = compareFamily([{ baseline, current, rule }]);
  if (comparison === undefined) throw new Error("One match gives one comparison");
  return comparison;
}

/** Compares all matches of a run as one family: the chance of one false alarm among all of them is kept small. */
export function compareFamily(matches: readonly Match[], design: Design = UNPAIRED): Comparison[] {
  const estimates = matches.map((match) =>
    match.baseline === null || flaw(match) !== null ? null : design.estimate(match.baseline, match.current),
  );
  const judged = matches.flatMap((match, index) => {
    const estimated = estimates[index];
    return estimated ? [{ index, ...pValues(estimated, match.current.direction) }] : [];
  });
  const pWorse = holmAdjusted(judged.map((p) => p.pWorse));
  const pBetter = holmAdjusted(judged.map((p) => p.pBetter));
  const shared = { alpha: familyAlpha(judged.length), size: judged.length, looks: design.looks };

  return matches.map((match, index) => {
    const estimated = estimates[index];
    if (!estimated) return notComparable(match);
    const place = judged.findIndex((p) => p.index === index);
    const corrected = { pWorse: pWorse[place] ?? 1, pBetter: pBetter[place] ?? 1 };
    return judgedComparison(match, estimated, { ...corrected, ...shared });
  });
}

function judgedComparison(match: Match, estimated: ChangeEstimate, family: Multiplicity): Comparison {
  const { direction } = match.current;
  const judgement = judgeChange(estimated, match.rule, direction, family);
  return {
    ...identityOf(match),
    baseline: estimated.baseline,
    current: estimated.current,
    changePct: pctOfLog(estimated.meanLog),
    ciLowPct: pctOfLog(judgement.ciLowLog),
    ciHighPct: pctOfLog(judgement.ciHighLog),
    mdePct: Math.abs(pctOfLog(direction === "higher" ? -judgement.mdeLog : judgement.mdeLog)),
    pWorse: family.pWorse,
    status: judgement.status,
    because: [judgement.because, ...estimated.notes].join("; "),
  };
}

function notComparable(match: Match): Comparison {
  const problem = flaw(match);
  if (problem !== null) return notComparedAs("INVALID", match, problem);
  return notComparedAs("CALIBRATING", match, "the baseline has no such load point");
}

/** A comparison that was not made: values are shown as they are, nothing is computed from them. */
export function notComparedAs(status: Status, match: Match, because: string): Comparison {
  return {
    ...identityOf(match),
    baseline: match.baseline === null ? null : plainSummary(match.baseline.values),
    current: plainSummary(match.current.values),
    changePct: null,
    ciLowPct: null,
    ciHighPct: null,
    mdePct: null,
    pWorse: null,
    status,
    because,
  };
}

function flaw({ baseline, current }: Match): string | null {
  return flawOf(current, "this run") ?? (baseline === null ? null : flawOf(baseline, "the baseline"));
}

function flawOf(sample: Sample, whose: string): string | null {
  if (sample.values.length === 0) return `${whose} has no value`;
  const bad = sample.values.filter((value) => !isMeasured(value));
  return bad.length === 0 ? null : `${bad.length} of ${sample.values.length} values of ${whose} are zero or missing`;
}

function plainSummary(values: readonly number[]): Summary {
  const measured = values.filter((value) => isMeasured(value));
  if (measured.length === 0) return { n: 0, center: null, sd: null };
  const logs = measured.map(Math.log);
  const center = Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
  return { n: measured.length, center, sd: standardDeviation(measured) };
}

function identityOf({ current, rule }: Match) {
  const { metric, unit, direction, workload, concurrency, requestRate } = current;
  return { rule, metric, unit, direction, workload, concurrency, requestRate };
}

function pctOfLog(log: number): number {
  return 100 * Math.expm1(log);
}
