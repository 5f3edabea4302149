import type { Analysis } from "../analyse/comparison.ts";
import type { HostPlan } from "../plan/host-plan.ts";
import { renderDiff } from "../plan/render-diff.ts";
import type { ProvisionRecord } from "../provision/provision-record.ts";
import type { RunRecord } from "../record/run-record.ts";
import { type SweepResult, sweepResults } from "../study/sweep-result.ts";
import { clientLines } from "./client-lines.ts";
import { factRows } from "./fact-rows.ts";
import { formatCount, formatDuration } from "./format-value.ts";
import { hostLoad } from "./host-load-table.ts";
import { detailsBlock, escapeMarkdown, joinBlocks, listBlock, tableBlock } from "./markdown-blocks.ts";
import { COMPARISON_HEAD, comparisonCells, LOAD_POINT_HEAD, loadPointRows, reasons } from "./measure-tables.ts";
import { isSimulated, type Reported, type ReportedRun, runLabels } from "./reported-run.ts";
import { sweepChart, sweepHead, sweepRows } from "./sweep-report.ts";
import { throughputChart } from "./throughput-chart.ts";
import { TURN_HEAD, turnRows } from "./turn-table.ts";

/** Far below the 1024 KiB at which GitHub drops the whole summary of a step. */
const BUDGET_BYTES = 200 * 1024;
const CUT_NOTICE =
  "> **Cut here:** the summary is larger than 200 KiB. `results.json` and the records hold everything.";

export interface SummaryOptions {
  /** Draw throughput over concurrency below the table. */
  readonly charts: boolean;
}

/** The step summary: the verdict first, then each run from its host to its numbers. */
export function renderSummary(reported: Reported, options: SummaryOptions): string {
  const labels = runLabels(reported.runs);
  const blocks = [
    ...verdictBlocks(reported),
    ...reported.runs.flatMap((run, index) => runBlocks(run, labels[index] ?? run.record.host, options)),
  ];
  return joinBlocks(blocks, BUDGET_BYTES, CUT_NOTICE);
}

function verdictBlocks(reported: Reported): string[] {
  const { verdict, runs } = reported;
  const perRun = runs.length < 2 ? [] : runs.flatMap((run) => (run.verdict === null ? [] : [run.verdict.sentence]));
  return [
    `## ${verdict === null ? "arc-vllm" : `arc-vllm: ${verdict.status}`}`,
    ...(verdict === null ? [] : [`**${escapeMarkdown(verdict.sentence)}**`]),
    ...(perRun.length === 0 ? [] : [listBlock(perRun)]),
    ...(isSimulated(reported)
      ? ["> **Simulated.** These figures come from the embedded host's performance model, not from hardware."]
      : []),
  ];
}

function runBlocks(run: ReportedRun, label: string, options: SummaryOptions): string[] {
  const { record, analysis } = run;
  return [
    `### ${escapeMarkdown(label)}${record.simulated ? " (simulated)" : ""}${importNote(record)}`,
    ...failureBlocks(record),
    ...hostBlocks(record),
    ...serverBlocks(record),
    ...(record.points.length === 0
      ? []
      : [
          "#### Load points",
          tableBlock(LOAD_POINT_HEAD, loadPointRows(record.points), "llrrrrrrr"),
          "TTFT: time to the first token. TPOT: time per output token after the first. Medians of the repeats.",
          ...clientLines(record).map(escapeMarkdown),
          ...(options.charts ? throughputChart(record.points) : []),
          ...hostLoadBlocks(record),
        ]),
    ...sweepResults(record).flatMap(sweepBlocks),
    ...turnBlocks(record),
    ...(analysis === null ? [] : comparisonBlocks(analysis)),
    ...warningBlocks(record, analysis),
  ];
}

/** Why a number is what it is: the cards may have been throttled. */
function hostLoadBlocks({ points }: RunRecord): string[] {
  const load = hostLoad(points);
  if (load === null) return [];
  return [
    "#### Host while measuring",
    tableBlock(load.head, load.rows, `l${"r".repeat(load.head.length - 1)}`),
    "Of several cards: the clock of the slowest while it is awake, the share of samples in which the most throttled was throttled, the power of all. CPU MHz: the fastest core.",
  ];
}

function sweepBlocks(result: SweepResult): string[] {
  return [
    `#### Sweep of ${escapeMarkdown(result.workload)}`,
    `**${escapeMarkdown(result.sentence)}**`,
    tableBlock(sweepHead(result), sweepRows(result), "rrrrrrrrrl"),
    // A fence that no line of the chart can close: it holds numbers and bars.
    `~~~~text\n${sweepChart(result)}\n~~~~`,
  ];
}

function importNote({ imported }: RunRecord): string {
  if (imported === undefined) return "";
  return escapeMarkdown(` (imported from ${[imported.tool, imported.toolVersion].filter(Boolean).join(" ")})`);
}

function turnBlocks({ points }: RunRecord): string[] {
  const rows = turnRows(points);
  return rows.length === 0 ? [] : ["#### Turns of the sessions", tableBlock(TURN_HEAD, rows, "lrrrrrrr")];
}

function failureBlocks({ failure }: RunRecord): string[] {
  if (failure === null) return [];
  return [
    `**The run ended with ${escapeMarkdown(failure.code)}:** ${escapeMarkdown(failure.message)}`,
    `What to do: ${escapeMarkdown(failure.hint)}`,
  ];
}

function hostBlocks({ facts, plan, provision }: RunRecord): string[] {
  return [
    ...(facts === null ? [] : [tableBlock(["Fact", "Value"], factRows(facts))]),
    ...(provision === null ? (plan === null ? [] : planBlocks(plan)) : provisionBlocks(provision)),
  ];
}

function planBlocks(plan: HostPlan): string[] {
  const open = plan.steps.filter((step) => step.status !== "ok");
  const rows = open.map((step) => [step.status, step.name, step.before ?? "", step.after ?? "", step.remedy ?? ""]);
  const title = `Playbook ${escapeMarkdown(plan.playbook)}: ${plan.steps.length - open.length} of ${formatCount(plan.steps.length, "step")} ok`;
  return open.length === 0
    ? [`${title}.`]
    : [`${title}.`, tableBlock(["Status", "Step", "Is", "Wanted", "What to do"], rows)];
}

function provisionBlocks(provision: ProvisionRecord): string[] {
  const count = (status: string) => provision.steps.filter((step) => step.status === status).length;
  const counts = (["ok", "changed", "warning", "failed", "blocked", "skipped"] as const)
    .filter((status) => count(status) > 0)
    .map((status) => `${status} ${count(status)}`);
  const converged = { true: "a second pass found nothing to change", false: "a second pass still wanted changes" };
  const end = provision.converged === null ? "no second pass" : converged[`${provision.converged}`];
  const told = provision.steps.filter((step) => step.status !== "ok");
  const rows = told.map((step) => [step.status, step.name, step.before ?? "", step.after ?? "", step.remedy ?? ""]);
  const summary = [
    `Playbook ${escapeMarkdown(provision.playbook)}: ${counts.join(", ") || "no steps"}`,
    formatCount(provision.reboots, "reboot"),
    end,
    formatDuration(provision.durationMs),
  ];
  const hasTrouble = told.some((step) => step.status === "failed" || step.status === "blocked");
  const table = tableBlock(["Status", "Step", "Was", "Wanted", "What to do"], rows);
  return [
    `${summary.join("; ")}.`,
    ...(told.length === 0
      ? []
      : [hasTrouble ? table : detailsBlock(`${formatCount(told.length, "step")} not ok at first`, table)]),
    ...changeBlocks(provision),
  ];
}

/** What was changed, line by line. None of its lines may close the fence. */
function changeBlocks({ steps }: ProvisionRecord): string[] {
  const changes = renderDiff(steps);
  if (changes === "" || changes.length > LONGEST_DIFF) return [];
  return [detailsBlock("Every change on the host", `~~~~diff\n${changes.replaceAll(/^~/gm, " ~")}\n~~~~`)];
}

/** A longer one would push the measurements out of the summary; the record has it. */
const LONGEST_DIFF = 50_000;

function serverBlocks({ deployment }: RunRecord): string[] {
  if (deployment === null) return [];
  const { servedModelName, engine, engineVersion, imageDigest, tensorParallel, readyMs } = deployment;
  const parts = [
    `${servedModelName} served by ${engine}${engineVersion === null ? "" : ` ${engineVersion}`}`,
    ...(tensorParallel === null ? [] : [`tensor parallel ${tensorParallel}`]),
    ...(deployment.tunnel === undefined ? [] : ["measured through SSH"]),
    ...(readyMs === null ? [] : [`ready after ${formatDuration(readyMs)}`]),
    ...(imageDigest === null ? [] : [imageDigest]),
  ];
  const line = `Server: ${escapeMarkdown(parts.join(", "))}.`;
  const { argv } = deployment;
  // On one line, since only a line of its own can close the fence.
  const command = argv.join(" ").replaceAll(/\s+/g, " ");
  return argv.length === 0 ? [line] : [line, detailsBlock("Command line", `~~~~\n${command}\n~~~~`)];
}

function comparisonBlocks(analysis: Analysis): string[] {
  const { comparisons, differences, baselineRunId, status, because } = analysis;
  const why = reasons(analysis);
  return [
    `#### Comparison ${baselineRunId === null ? "" : `with ${escapeMarkdown(baselineRunId)}`}`.trimEnd(),
    ...(comparisons.length === 0
      ? [escapeMarkdown(`${status}: ${because}`)]
      : [
          tableBlock(COMPARISON_HEAD, comparisons.map(comparisonCells), "llrrrlrl"),
          "MDE: minimum detectable effect, the smallest change for the worse that this run finds with probability 0.8.",
        ]),
    ...(why.length === 0 ? [] : [listBlock(why)]),
    ...(differences.length === 0
      ? []
      : [
          status === "RECIPE_MISMATCH" ? "#### What differs in the recipe" : "#### What changed in the environment",
          tableBlock(
            ["Field", "Baseline", "Current"],
            differences.map((d) => [d.field, d.baseline, d.current]),
          ),
        ]),
  ];
}

function warningBlocks(record: RunRecord, analysis: Analysis | null): string[] {
  const warnings = [
    ...(record.facts?.warnings ?? []),
    ...record.warnings,
    ...record.points.flatMap(({ warnings: told }) => told),
    ...(analysis?.warnings ?? []),
  ];
  return warnings.length === 0 ? [] : ["#### Warnings", listBlock([...new Set(warnings)])];
}
