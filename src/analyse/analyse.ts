import type { GateRule, GateSpec } from "../config/run-config.ts";
import { differingFields, type FieldDifference } from "../record/fingerprint.ts";
import { levelLabel } from "../record/level-label.ts";
import type { RunRecord } from "../record/run-record.ts";
import { type BaselineSelection, selectBaseline } from "../record/select-baseline.ts";
import { compareFamily, type Match, notComparedAs } from "./compare.ts";
import type { Analysis, Comparison, Status } from "./comparison.ts";
import { hostDifferences } from "./host-differences.ts";
import { importWarnings, knownRules } from "./imported-rules.ts";
import { markUnexplained } from "./mark-unexplained.ts";
import { isSameMeasure, samplesOf } from "./samples-of.ts";
import { successComparison } from "./success-comparison.ts";

/** Worst first: the status of a run is the first of these that one of its comparisons has. */
const WORST_FIRST: readonly Status[] = [
  "INVALID",
  "REGRESSION",
  "INCONCLUSIVE",
  "RECIPE_MISMATCH",
  "CALIBRATING",
  "IMPROVED",
  "PASS",
  "IDENTICAL",
];

/**
 * Judges a run against what was measured before. `candidates` may hold anything: what cannot be a baseline is refused
 * with its reason. `place` says where they come from, for messages.
 */
export function analyse(
  current: RunRecord,
  candidates: readonly RunRecord[],
  gate: Pick<GateSpec, "rules" | "minSuccessRatio" | "allowImported">,
  place = "the baseline",
): Analysis {
  const selection = selectBaseline(candidates, current, gate.allowImported);
  const [baseline] = selection.baselines;
  const known = knownRules(gate.rules, baseline === undefined ? [current] : [baseline, current]);
  const warnings = [...refusalWarnings(selection), ...importWarnings(baseline, current), ...known.warnings];
  const refusal = whyNotCompared(current, selection, known.rules, place);
  if (refusal !== null || baseline === undefined) {
    const { status, because, differences } = refusal ?? nothingToCompare(selection, place);
    const comparisons = matchesOf(current, null, known.rules).map((match) => notComparedAs(status, match, because));
    return { comparisons, status, because, baselineRunId: null, differences, warnings };
  }

  const measured = compareFamily(matchesOf(current, baseline, known.rules));
  const comparisons = [...markUnexplained(measured), ...successComparisons(current, baseline, gate)];
  const differences = [
    ...differingFields(baseline.fingerprint?.softFields ?? {}, current.fingerprint?.softFields ?? {}),
    ...hostDifferences(baseline.points, current.points),
  ];
  return { comparisons, ...worstOf(comparisons), baselineRunId: baseline.run.id, differences, warnings };
}

/** The worst status and, in words, which comparison has it and why. */
export function worstOf(comparisons: readonly Comparison[]): { status: Status; because: string } {
  const status = WORST_FIRST.find((candidate) => comparisons.some((comparison) => comparison.status === candidate));
  const worst = comparisons.filter((comparison) => comparison.status === status);
  const [first] = worst;
  if (status === undefined || first === undefined) return { status: "INVALID", because: "nothing was compared" };
  const more = worst.length > 1 ? ` (and ${worst.length - 1} more)` : "";
  return { status, because: `${first.metric} at ${levelLabel(first)}: ${first.because}${more}` };
}

interface Refusal {
  readonly status: Extract<Status, "INVALID" | "CALIBRATING" | "RECIPE_MISMATCH">;
  readonly because: string;
  readonly differences: readonly FieldDifference[];
}

function whyNotCompared(
  current: RunRecord,
  selection: BaselineSelection,
  rules: readonly GateRule[],
  place: string,
): Refusal | null {
  const invalid = (because: string): Refusal => ({ status: "INVALID", because, differences: [] });
  if (current.state !== "complete") return invalid("the run did not finish");
  if (!current.validity.ok) return invalid(severalReasons(current.validity.reasons));
  if (current.fingerprint === null)
    return invalid("the record has no fingerprint, so it is not known what was measured");
  const notJudged = (because: string): Refusal => ({ status: "CALIBRATING", because, differences: [] });
  if (rules.length === 0) return notJudged("there is no rule to judge by");
  if (current.points.every(({ sweep }) => sweep)) return notJudged("a sweep has no load points to compare one by one");
  return selection.baselines.length === 0 ? nothingToCompare(selection, place) : null;
}

function nothingToCompare({ mismatch, eligibleCount }: BaselineSelection, place: string): Refusal {
  if (mismatch === null) {
    const because = `nothing to compare with yet (${eligibleCount} eligible records in ${place})`;
    return { status: "CALIBRATING", because, differences: [] };
  }
  const fields = mismatch.differences.map((d) => `${d.field} ${d.baseline} -> ${d.current}`).join(", ");
  const because = `no record of the same recipe in ${place}; the closest, ${mismatch.runId}, differs in ${fields}`;
  return { status: "RECIPE_MISMATCH", because, differences: mismatch.differences };
}

function refusalWarnings({ refused }: BaselineSelection): string[] {
  const told = refused.filter(({ kind }) => kind === "unusable");
  return told.map(({ runId, reason }) => `Record ${runId} was not used: ${reason}`);
}

function severalReasons(reasons: readonly string[]): string {
  const [first = "the measurement is not valid"] = reasons;
  return reasons.length > 1 ? `${first} (and ${reasons.length - 1} more)` : first;
}

/** success_ratio is not among them: it is a hard rule without statistics. */
function matchesOf(current: RunRecord, baseline: RunRecord | null, rules: readonly GateRule[]): Match[] {
  const statistical = rules.filter((rule) => rule.metric !== "success_ratio");
  const metrics = statistical.map((rule) => rule.metric);
  const before = baseline === null ? [] : samplesOf(baseline, metrics);
  return samplesOf(current, metrics).flatMap((sample) =>
    statistical
      .filter((rule) => rule.metric === sample.metric)
      .map((rule) => ({
        rule,
        current: sample,
        baseline: before.find((candidate) => isSameMeasure(candidate, sample)) ?? null,
      })),
  );
}

function successComparisons(
  current: RunRecord,
  baseline: RunRecord,
  gate: Pick<GateSpec, "rules" | "minSuccessRatio">,
): Comparison[] {
  const rule = gate.rules.find(({ metric }) => metric === "success_ratio");
  if (rule === undefined) return [];
  const before = samplesOf(baseline, ["success_ratio"]);
  return samplesOf(current, ["success_ratio"]).map((sample) =>
    successComparison(before.find((b) => isSameMeasure(b, sample)) ?? null, sample, rule, gate.minSuccessRatio),
  );
}
