import type { Comparison } from "../analyse/comparison.ts";
import { METRICS } from "../analyse/metric-definition.ts";
import type { Workload } from "../config/run-config.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import { levelLabel } from "../record/level-label.ts";
import type { RunRecord } from "../record/run-record.ts";
import { formatChange, formatInterval, formatValue } from "./format-value.ts";
import { classnamePart, type JunitCase, type JunitOutcome, type JunitSuite } from "./junit-suite.ts";
import type { ReportedRun, ReportedVerdict } from "./reported-run.ts";

/** A suite per workload and a case per gated metric of each load point; one case per load point without a gate. */
export function workloadSuites(run: ReportedRun, label: string): JunitSuite[] {
  return run.record.workloads.flatMap((workload) => {
    const levels = levelsOf(run.record, workload.name);
    const cases = levels.flatMap((level) => levelCases(run, label, workload, level));
    if (cases.length === 0) return [];
    return [{ name: `${label} / ${workload.name}`, timestamp: levels[0]?.[0]?.startedAt ?? null, cases }];
  });
}

/** Load points of a workload, the repeats of each level together. */
function levelsOf({ points }: RunRecord, workload: string): LoadPoint[][] {
  const levels = new Map<string, LoadPoint[]>();
  for (const point of points.filter((candidate) => candidate.workload === workload)) {
    levels.set(levelLabel(point), [...(levels.get(levelLabel(point)) ?? []), point]);
  }
  return [...levels.values()];
}

function levelCases(run: ReportedRun, label: string, workload: Workload, level: readonly LoadPoint[]): JunitCase[] {
  const [first] = level;
  if (first === undefined) return [];
  const classname = `arc.${classnamePart(label)}.${classnamePart(workload.name)}.${shapePart(workload, first)}`;
  const seconds = level.reduce((sum, point) => sum + point.durationMs, 0) / 1000;
  const comparisons = run.analysis?.comparisons.filter((c) => levelLabel(c) === levelLabel(first)) ?? [];
  if (comparisons.length === 0) return [{ classname, name: "load point", seconds, ...measuredOnly(run.record) }];
  // All metrics of a level come from the same measurement: its time is shared out, so that the suite adds up.
  return comparisons.map((comparison) => comparisonCase(run, comparison, classname, seconds / comparisons.length));
}

function shapePart({ inputTokens, outputTokens }: Workload, level: LoadPoint): string {
  const load = level.requestRate === null ? `c${level.concurrency}` : `rate${level.requestRate}`;
  return classnamePart(`in${inputTokens ?? "-file"}-out${outputTokens}-${load}`);
}

function measuredOnly({ validity }: RunRecord): Pick<JunitCase, "outcome" | "properties" | "systemOut"> {
  const outcome: JunitOutcome = validity.ok
    ? { kind: "passed" }
    : {
        kind: "error",
        type: "MeasurementInvalid",
        message: validity.reasons[0] ?? "",
        text: validity.reasons.join("\n"),
      };
  return { outcome, properties: [], systemOut: null };
}

function comparisonCase(run: ReportedRun, comparison: Comparison, classname: string, seconds: number): JunitCase {
  const { label, unit } = METRICS[comparison.metric];
  const outcome = outcomeOf(comparison, run);
  return {
    classname,
    name: label.includes(unit) ? label : `${label} [${unit}]`,
    seconds,
    outcome,
    properties: propertiesOf(comparison, run.record),
    // A failure holds the table already.
    systemOut: "text" in outcome ? null : summaryTable(comparison, run),
  };
}

function outcomeOf(comparison: Comparison, run: ReportedRun): JunitOutcome {
  const message = messageOf(comparison);
  const text = summaryTable(comparison, run);
  switch (comparison.status) {
    case "PASS":
    case "IMPROVED":
    case "IDENTICAL":
      return { kind: "passed" };
    case "REGRESSION":
      if (isSpared(run.verdict)) return { kind: "skipped", message: `REGRESSION, gate mode is "warn": ${message}` };
      return { kind: "failure", type: "PerfRegression", message, text };
    case "INVALID":
      return { kind: "error", type: "MeasurementInvalid", message, text };
    case "INCONCLUSIVE":
    case "CALIBRATING":
    case "RECIPE_MISMATCH":
      if (failsBy(run.verdict, comparison)) return { kind: "failure", type: comparison.status, message, text };
      return { kind: "skipped", message: `${comparison.status}: ${message}` };
  }
}

/** A regression with exit code 0 means that the gate only warns, and a red test would fail the check all the same. */
function isSpared(verdict: ReportedVerdict | null): boolean {
  return verdict?.status === "REGRESSION" && verdict.exitCode === 0;
}

/** A status that the gate was told to fail on. */
function failsBy(verdict: ReportedVerdict | null, { status }: Comparison): boolean {
  return verdict?.status === status && verdict.exitCode !== 0;
}

function messageOf(comparison: Comparison): string {
  if (comparison.changePct === null) return comparison.because;
  const { label } = METRICS[comparison.metric];
  const interval = formatInterval(comparison.ciLowPct, comparison.ciHighPct);
  const { rule, current } = comparison;
  const change = `${label} ${formatChange(comparison.changePct)} %`;
  return `${change} (95 % CI ${interval} %, ${current.n} repeats, budget ${rule.budgetPct} %): ${comparison.because}`;
}

/** Short enough for Jenkins, which cuts the output of passing cases to about 1000 characters. */
function summaryTable(comparison: Comparison, { analysis, record }: ReportedRun): string {
  const { baseline, current, unit, rule } = comparison;
  const side = (summary: Comparison["baseline"]) =>
    summary === null ? "none" : `${formatValue(summary.center)} ${unit}, sd ${formatValue(summary.sd)}, n ${summary.n}`;
  const pct = (text: string) => (text === "n/a" ? text : `${text} %`);
  const lines = [
    ["load point", `${levelLabel(comparison)} on ${record.host}${record.simulated ? " (simulated)" : ""}`],
    ["metric", `${METRICS[comparison.metric].label}, ${comparison.direction} is better`],
    ["baseline", `${side(baseline)}${analysis?.baselineRunId ? ` (${analysis.baselineRunId})` : ""}`],
    ["value", side(current)],
    ["change", pct(formatChange(comparison.changePct))],
    ["95 % CI", pct(formatInterval(comparison.ciLowPct, comparison.ciHighPct))],
    ["MDE", pct(comparison.mdePct?.toFixed(1) ?? "n/a")],
    ["counts from", `${rule.deltaPct} %${rule.floor === null ? "" : ` and ${rule.floor} ${unit}`}`],
    ["budget", `${rule.budgetPct} %`],
    ["verdict", `${comparison.status}: ${comparison.because}`],
  ];
  return lines
    .map(([name = "", value = ""]) => `${name.padEnd(12)}${value}`)
    .join("\n")
    .slice(0, 900);
}

function propertiesOf(comparison: Comparison, record: RunRecord): [string, string][] {
  const numbers: [string, number | null][] = [
    ["value", comparison.current.center],
    ["base", comparison.baseline?.center ?? null],
    ["change_pct", comparison.changePct],
    ["ci_low_pct", comparison.ciLowPct],
    ["ci_high_pct", comparison.ciHighPct],
    ["mde_pct", comparison.mdePct],
  ];
  const texts: [string, string | undefined][] = [
    ["unit", comparison.unit],
    ["direction", comparison.direction],
    ["repeats", String(comparison.current.n)],
    ["verdict", comparison.status.toLowerCase()],
    ["fingerprint", record.fingerprint?.hard],
    ["simulated", String(record.simulated)],
  ];
  const known = numbers.flatMap(([name, value]) =>
    value === null ? [] : [[name, String(Number(value.toPrecision(6)))]],
  );
  return [...known, ...texts].flatMap(([name, value]) => (value === undefined ? [] : [[`arcvllm.${name}`, value]]));
}
