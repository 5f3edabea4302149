import { z } from "zod";
import type { Analysis } from "../analyse/comparison.ts";
import { type SweepResult, sweepResults } from "../study/sweep-result.ts";
import type { Reported, ReportedRun, ReportedVerdict } from "./reported-run.ts";
import { runLabels } from "./reported-run.ts";

const number = z.number().nullable();
const text = z.string();
const status = z.enum([
  "PASS",
  "IMPROVED",
  "IDENTICAL",
  "REGRESSION",
  "INCONCLUSIVE",
  "CALIBRATING",
  "RECIPE_MISMATCH",
  "INVALID",
]);
const summary = z.strictObject({ n: z.int().nonnegative(), center: number, sd: number });

const comparison = z.strictObject({
  metric: text,
  unit: text,
  direction: z.enum(["higher", "lower"]),
  workload: text,
  concurrency: z.int(),
  requestRate: number,
  rule: z.strictObject({ metric: text, deltaPct: z.number(), budgetPct: z.number(), floor: number }),
  baseline: summary.nullable(),
  current: summary,
  changePct: number,
  ciLowPct: number,
  ciHighPct: number,
  mdePct: number,
  pWorse: number,
  status,
  because: text,
});

const verdict = z.strictObject({
  status,
  exitCode: z.int(),
  sentence: text,
  comparisonCount: z.int().nonnegative(),
  regressedMetrics: z.array(text),
  mdeMaxPct: z.number().nullable(),
});

const run = z.strictObject({
  label: text,
  host: text,
  runId: text,
  simulated: z.boolean(),
  /** Relative to this file. */
  record: text,
  verdict: verdict.nullable(),
  validity: z.strictObject({ ok: z.boolean(), reasons: z.array(text) }),
  failure: z.strictObject({ code: text, message: text, hint: text }).nullable(),
  baselineRunId: text.nullable(),
  comparisons: z.array(comparison),
  differences: z.array(z.strictObject({ field: text, baseline: text, current: text })),
  warnings: z.array(text),
  /** What each sweep found. */
  sweeps: z.array(
    z.strictObject({
      workload: text,
      of: z.enum(["concurrency", "rate"]),
      /** The highest level that holds; null: none does. */
      best: number,
      /** The lowest level that does not; null: all hold. */
      broken: number,
      isFinished: z.boolean(),
      sentence: text,
    }),
  ),
  /** As in the record. */
  points: z.array(z.looseObject({ workload: text, concurrency: z.int(), repeat: z.int() })),
});

/** The shape of results.json. A field may be added to it; none changes its meaning within "arc-vllm-results/v1". */
export const resultsSchema = z.strictObject({
  schema: z.literal("arc-vllm-results/v1"),
  verdict: verdict.nullable(),
  simulated: z.boolean(),
  runs: z.array(run),
});

export type Results = z.infer<typeof resultsSchema>;

/** The verdict, the comparisons and the load points for machines; `recordPaths` are relative to the report folder. */
export function renderResults(reported: Reported, recordPaths: readonly string[]): string {
  const labels = runLabels(reported.runs);
  const results: Results = {
    schema: "arc-vllm-results/v1",
    verdict: verdictOf(reported.verdict),
    simulated: reported.runs.some(({ record }) => record.simulated),
    runs: reported.runs.map((one, index) => resultOf(one, labels[index] ?? "", recordPaths[index] ?? "")),
  };
  return `${JSON.stringify(results, null, 1)}\n`;
}

function resultOf({ record, analysis, verdict: decided }: ReportedRun, label: string, path: string) {
  return {
    label,
    host: record.host,
    runId: record.run.id,
    simulated: record.simulated,
    record: path,
    verdict: verdictOf(decided),
    validity: { ok: record.validity.ok, reasons: [...record.validity.reasons] },
    failure: record.failure,
    baselineRunId: analysis?.baselineRunId ?? null,
    comparisons: (analysis?.comparisons ?? []).map(comparisonOf),
    differences: [...(analysis?.differences ?? [])],
    warnings: [...record.warnings, ...(analysis?.warnings ?? [])],
    sweeps: sweepResults(record).map(sweepOf),
    points: record.points.map((point) => ({ ...point })),
  };
}

function sweepOf({
  workload,
  of,
  best,
  broken,
  isFinished,
  sentence,
}: SweepResult): Results["runs"][number]["sweeps"][number] {
  return { workload, of, best: best?.level ?? null, broken: broken?.level ?? null, isFinished, sentence };
}

/** Field by field, so that what a caller's verdict holds besides does not slip into the file. */
function verdictOf(decided: ReportedVerdict | null): Results["verdict"] {
  if (decided === null) return null;
  const { status: outcome, exitCode, sentence, comparisonCount, regressedMetrics, mdeMaxPct } = decided;
  return { status: outcome, exitCode, sentence, comparisonCount, regressedMetrics: [...regressedMetrics], mdeMaxPct };
}

function comparisonOf(made: Analysis["comparisons"][number]): Results["runs"][number]["comparisons"][number] {
  return { ...made, baseline: made.baseline === null ? null : { ...made.baseline }, current: { ...made.current } };
}
