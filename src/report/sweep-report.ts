import type { JudgedLevel } from "../study/judge-level.ts";
import type { SweepResult } from "../study/sweep-result.ts";
import { formatValue } from "./format-value.ts";
import { terminalTable } from "./terminal-table.ts";

/** A sweep as text for a terminal: what it found in a sentence, every level, and throughput as bars. */
export function sweepReport(result: SweepResult): string {
  const table = terminalTable({
    head: sweepHead(result),
    rows: sweepRows(result),
    limits: [null, null, null, null, null, null, null, null, 15, 34],
    rightAligned: [0, 1, 2, 3, 4, 5, 6, 7, 8],
  });
  return [result.sentence, table, sweepChart(result)].join("\n");
}

/** In flight: as counted, and throughput X times the time W in the system, which Little's law says are equal. */
export function sweepHead({ of }: SweepResult): string[] {
  const level = of === "rate" ? "req/s wanted" : "c";
  const head = [level, "req", "ok", "good", "req/s", "tok/s", "TTFT p50 ms", "TPOT p50 ms"];
  return [...head, "in flight (X x W)", "verdict"];
}

export function sweepRows({ levels }: SweepResult): string[][] {
  return levels.map((level) => [
    String(level.level),
    String(level.requests),
    String(level.ok),
    level.goodRatio === null ? "n/a" : `${(level.goodRatio * 100).toFixed(1)} %`,
    formatValue(level.requestS),
    formatValue(level.outputTokS),
    formatValue(level.ttftP50Ms),
    formatValue(level.tpotP50Ms),
    level.inFlight === null ? "n/a" : `${formatValue(level.inFlight)} (${formatValue(level.predictedInFlight)})`,
    level.because,
  ]);
}

const WIDTH = 40;

/** Throughput of each level as a bar, and a mark where the sweep ends up. */
export function sweepChart({ levels, best }: SweepResult): string {
  const speedOf = ({ outputTokS, requestS }: JudgedLevel) => outputTokS ?? requestS ?? 0;
  const most = Math.max(...levels.map(speedOf));
  if (!(most > 0)) return "";
  const widest = Math.max(...levels.map(({ level }) => String(level).length));
  return levels
    .map((level) => {
      const bar = "█".repeat(Math.max(1, Math.round((speedOf(level) / most) * WIDTH)));
      const mark = level.level === best?.level ? " <- highest that holds" : level.holds ? "" : " does not hold";
      return `${String(level.level).padStart(widest)} ${bar} ${formatValue(speedOf(level))}${mark}`;
    })
    .join("\n");
}
