import type { LoadPoint } from "../measure/load-point.ts";
import { formatValue } from "./format-value.ts";
import { summarizeLevels } from "./level-summary.ts";

/**
 * Output tok/s over concurrency as a Mermaid chart per workload, where there is more than one level to draw.
 * A sweep has a chart of its own. `xychart-beta` is the spelling that old and new Mermaid versions read.
 */
export function throughputChart(points: readonly LoadPoint[]): string[] {
  const closed = points.filter((point) => point.requestRate === null && !point.sweep);
  return [...new Set(closed.map(({ workload }) => workload))].flatMap((workload) => {
    const levels = summarizeLevels(closed.filter((point) => point.workload === workload));
    if (levels.length < 2 || levels.some((level) => level.outputTokS === null)) return [];
    return [
      [
        "```mermaid",
        "xychart-beta",
        `  title "${plain(workload)}: output tok/s over concurrent requests"`,
        `  x-axis [${levels.map(({ load }) => `"${load}"`).join(", ")}]`,
        '  y-axis "tok/s"',
        `  bar [${levels.map(({ outputTokS }) => formatValue(outputTokS)).join(", ")}]`,
        "```",
      ].join("\n"),
    ];
  });
}

/** Mermaid has no escapes inside a title. */
function plain(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9 _.-]/g, " ");
}
