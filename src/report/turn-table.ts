import { median } from "../analyse/sample-statistics.ts";
import type { LoadPoint, TurnSummary } from "../measure/load-point.ts";
import { levelLabel } from "../record/level-label.ts";
import { formatValue } from "./format-value.ts";
import { terminalTable } from "./terminal-table.ts";

export const TURN_HEAD: readonly string[] = [
  "load point",
  "turn",
  "req",
  "ok",
  "prompt tokens",
  "TTFT p50 ms",
  "TPOT p50 ms",
  "E2E p50 ms",
];

/** One row for each turn of the sessions of each level; latencies are the median of the repeats. Empty without sessions. */
export function turnRows(points: readonly LoadPoint[]): string[][] {
  const levels = new Map<string, TurnSummary[]>();
  for (const point of points) {
    levels.set(levelLabel(point), [...(levels.get(levelLabel(point)) ?? []), ...(point.turns ?? [])]);
  }
  return [...levels].flatMap(([level, summaries]) => {
    const turns = [...new Set(summaries.map(({ turn }) => turn))].sort((a, b) => a - b);
    return turns.map((turn) =>
      rowOf(
        level,
        summaries.filter((summary) => summary.turn === turn),
      ),
    );
  });
}

/** Null without sessions. */
export function turnTable(points: readonly LoadPoint[]): string | null {
  const rows = turnRows(points);
  return rows.length === 0 ? null : terminalTable({ head: TURN_HEAD, rows, rightAligned: [1, 2, 3, 4, 5, 6, 7] });
}

function rowOf(level: string, repeats: readonly TurnSummary[]): string[] {
  const middle = (read: (summary: TurnSummary) => number | null | undefined) => {
    const known = repeats.map(read).filter((value) => typeof value === "number");
    return formatValue(known.length === 0 ? null : median(known));
  };
  return [
    level,
    String(repeats[0]?.turn ?? ""),
    String(repeats.reduce((sum, { requests }) => sum + requests, 0)),
    String(repeats.reduce((sum, { ok }) => sum + ok, 0)),
    middle(({ promptTokens }) => promptTokens?.mean),
    middle(({ ttftMs }) => ttftMs?.p50),
    middle(({ tpotMs }) => tpotMs?.p50),
    middle(({ e2eMs }) => e2eMs?.p50),
  ];
}
