import type { Analysis, Comparison } from "../analyse/comparison.ts";
import { METRICS } from "../analyse/metric-definition.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import { levelLabel } from "../record/level-label.ts";
import { formatChange, formatInterval, formatValue } from "./format-value.ts";
import { summarizeLevels } from "./level-summary.ts";
import { paintStatus, type TableOptions, terminalTable } from "./terminal-table.ts";

export const LOAD_POINT_HEAD: readonly string[] = [
  "workload",
  "c",
  "reps",
  "req",
  "ok",
  "TTFT p50 ms",
  "TPOT p50 ms/token",
  "tok/s/user",
  "tok/s",
];

/** One row per level: latencies and speeds are the median of the repeats. */
export function loadPointTable(points: readonly LoadPoint[]): string {
  return terminalTable({
    head: LOAD_POINT_HEAD,
    rows: loadPointRows(points),
    limits: [16],
    rightAligned: [2, 3, 4, 5, 6, 7, 8],
  });
}

export function loadPointRows(points: readonly LoadPoint[]): string[][] {
  return summarizeLevels(points).map((level) => [
    level.workload,
    level.load,
    String(level.repeats),
    String(level.requests),
    String(level.ok),
    formatValue(level.ttftP50Ms),
    formatValue(level.tpotP50Ms),
    formatValue(level.userTokS),
    formatValue(level.outputTokS),
  ]);
}

/** MDE: minimum detectable effect, the smallest change for the worse that is found with probability 0.8. */
export const COMPARISON_HEAD = ["load point", "metric", "baseline", "current", "change", "95 % CI", "MDE", "verdict"];

/** Every comparison, then in words why those that are not good news are not. */
export function comparisonTable(analysis: Analysis, options: TableOptions = {}): string {
  if (analysis.comparisons.length === 0) return `${analysis.status}: ${analysis.because}`;
  const table = terminalTable({
    head: COMPARISON_HEAD,
    rows: analysis.comparisons.map((comparison) => {
      const cells = comparisonCells(comparison);
      return [...cells.slice(0, -1), paintStatus(comparison.status, options)];
    }),
    limits: [11],
    rightAligned: [2, 3, 4, 6],
  });
  return [table, ...reasons(analysis)].join("\n");
}

export function comparisonCells(comparison: Comparison): string[] {
  const { metric, baseline, current, changePct, ciLowPct, ciHighPct, mdePct, status } = comparison;
  const { label, unit } = METRICS[metric];
  return [
    levelLabel(comparison),
    label.includes(unit) ? label : `${label} ${unit}`,
    formatValue(baseline?.center ?? null),
    formatValue(current.center),
    changePct === null ? "n/a" : `${formatChange(changePct)} %`,
    formatInterval(ciLowPct, ciHighPct),
    mdePct === null ? "n/a" : `${mdePct.toFixed(1)} %`,
    status,
  ];
}

/** One line per reason, without repeating the one that all comparisons share. */
export function reasons(analysis: Analysis): string[] {
  const told = analysis.comparisons.filter(({ status }) => status !== "PASS" && status !== "IDENTICAL");
  const lines = told.map((c) => `${c.status} ${METRICS[c.metric].label} at ${levelLabel(c)}: ${c.because}`);
  const isShared = told.length > 1 && new Set(told.map(({ because }) => because)).size === 1;
  return isShared ? [`${analysis.status}: ${told[0]?.because}`] : lines;
}
