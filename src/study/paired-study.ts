import { worstOf } from "../analyse/analyse.ts";
import { compareFamily, type Match } from "../analyse/compare.ts";
import type { Analysis, Comparison } from "../analyse/comparison.ts";
import { PAIR_LOOKS, PAIRED } from "../analyse/design.ts";
import { markUnexplained } from "../analyse/mark-unexplained.ts";
import { median } from "../analyse/sample-statistics.ts";
import { isSameMeasure, samplesOf } from "../analyse/samples-of.ts";
import type { GateRule } from "../config/run-config.ts";
import { differingFields } from "../record/fingerprint.ts";
import type { RunRecord } from "../record/run-record.ts";
import { type Arm, armOrder } from "./arm-order.ts";

/** Two runs, each on a fresh server, measured one after the other on one host. */
export interface MeasuredPair {
  readonly baseline: RunRecord;
  readonly current: RunRecord;
}

export interface StudyOptions {
  readonly rules: readonly GateRule[];
  readonly seed: string;
  /** True when the time for the study is used up: no further pair is begun. */
  readonly isOutOfTime: boolean;
}

/** What to do next: measure a pair in this order, or stop. */
export type StudyStep =
  | { readonly kind: "measure"; readonly pair: number; readonly order: readonly [Arm, Arm]; readonly because: string }
  | StudyEnd;

export interface StudyEnd {
  readonly kind: "stop";
  readonly ended: "decided" | "undecided" | "out-of-time" | "invalid";
  readonly comparisons: readonly Comparison[];
  readonly because: string;
}

/** A pair with an invalid run is measured again as a whole, but not for ever. */
const MAX_REDOS = 2;

/**
 * The next step of a paired A/B study, from the pairs so far: pure, so a study can be replayed. After 3, 4, 5, 6 and 8
 * valid pairs the data are looked at; a gate keeps the first decision it reaches; the study ends when every gate is
 * decided, after the last look, when time is up, or when too many runs were invalid.
 */
export function nextStep(measured: readonly MeasuredPair[], options: StudyOptions): StudyStep {
  const valid = measured.filter(({ baseline, current }) => baseline.validity.ok && current.validity.ok);
  const redos = measured.length - valid.length;
  const comparisons = comparePairs(valid, options.rules);
  const stop = (ended: StudyEnd["ended"], because: string): StudyEnd => ({ kind: "stop", ended, comparisons, because });

  if (redos > MAX_REDOS) return stop("invalid", `${redos} pairs had an invalid run: ${firstReason(measured)}`);
  const isLooked = PAIR_LOOKS.includes(valid.length);
  const open = comparisons.filter(({ status }) => status === "INCONCLUSIVE");
  if (isLooked && open.length === 0) return stop("decided", `every gate was decided after ${valid.length} pairs`);
  if (valid.length >= lastLook())
    return stop("undecided", `${open.length} gates were undecided after ${valid.length} pairs`);
  if (options.isOutOfTime) return stop("out-of-time", `the time was up after ${valid.length} pairs`);

  const pair = measured.length + 1;
  return { kind: "measure", pair, order: armOrder(options.seed, pair), because: whyMeasure(valid.length, open) };
}

/** What a finished study says, in the form in which every comparison is reported and judged. */
export function studyAnalysis(end: StudyEnd, baseline: RunRecord, current: RunRecord): Analysis {
  const differences = differingFields(baseline.fingerprint?.hardFields ?? {}, current.fingerprint?.hardFields ?? {});
  const comparisons = markUnexplained(end.comparisons);
  const shared = { comparisons, baselineRunId: baseline.run.id, differences, warnings: [] };
  if (end.ended === "invalid") return { ...shared, status: "INVALID", because: end.because };
  if (comparisons.length === 0) return { ...shared, status: "INCONCLUSIVE", because: end.because };
  const { status, because } = worstOf(comparisons);
  return { ...shared, status, because: `${because} (${end.because})` };
}

/** Each gate's first decision, else its state at the last look; none before the first look. */
export function comparePairs(valid: readonly MeasuredPair[], rules: readonly GateRule[]): Comparison[] {
  const looks = PAIR_LOOKS.filter((look) => look <= valid.length);
  const byLook = looks.map((look) => compareFamily(matchesOf(valid.slice(0, look), rules), PAIRED));
  const last = byLook.at(-1) ?? [];
  return last.map((atLast, index) => {
    const decided = byLook.find((comparisons) => comparisons[index]?.status !== "INCONCLUSIVE");
    return decided?.[index] ?? atLast;
  });
}

/** One value per pair and arm: the median of the repeats that a run made on its server, which is one replicate. */
function matchesOf(pairs: readonly MeasuredPair[], rules: readonly GateRule[]): Match[] {
  const statistical = rules.filter(({ metric }) => metric !== "success_ratio");
  const arms = pairs.map(({ baseline, current }) => ({
    baseline: samplesOf(baseline, metricsOf(statistical)),
    current: samplesOf(current, metricsOf(statistical)),
  }));
  const [first] = arms;
  return (first?.current ?? []).flatMap((like) =>
    statistical
      .filter(({ metric }) => metric === like.metric)
      .map((rule) => {
        const valuesOf = (arm: Arm) =>
          arms.map((pair) => median(pair[arm].find((sample) => isSameMeasure(sample, like))?.values ?? [Number.NaN]));
        return {
          rule,
          baseline: { ...like, values: valuesOf("baseline") },
          current: { ...like, values: valuesOf("current") },
        };
      }),
  );
}

function metricsOf(rules: readonly GateRule[]) {
  return rules.map(({ metric }) => metric);
}

function lastLook(): number {
  return PAIR_LOOKS.at(-1) ?? 0;
}

function firstReason(measured: readonly MeasuredPair[]): string {
  const reasons = measured.flatMap(({ baseline, current }) => [
    ...baseline.validity.reasons,
    ...current.validity.reasons,
  ]);
  return reasons[0] ?? "no reason given";
}

function whyMeasure(pairs: number, open: readonly Comparison[]): string {
  const first = PAIR_LOOKS[0] ?? 0;
  if (pairs < first) return `${pairs} of the first ${first} pairs are there`;
  return `undecided after ${pairs} pairs: ${open.map(({ metric }) => metric).join(", ") || "nothing is looked at yet"}`;
}
