import { median } from "../analyse/sample-statistics.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import { levelLabel } from "../record/level-label.ts";

/** One level with its repeats put together: counts are sums, speeds the median of the repeats. Null: not known. */
export interface LevelSummary {
  readonly workload: string;
  /** Concurrency as "12", or "2.5 req/s" in an open loop. */
  readonly load: string;
  readonly repeats: number;
  readonly requests: number;
  readonly ok: number;
  readonly ttftP50Ms: number | null;
  readonly tpotP50Ms: number | null;
  readonly userTokS: number | null;
  readonly outputTokS: number | null;
}

/** Levels in the order in which they were first measured. */
export function summarizeLevels(points: readonly LoadPoint[]): LevelSummary[] {
  const levels = new Map<string, LoadPoint[]>();
  for (const point of points) levels.set(levelLabel(point), [...(levels.get(levelLabel(point)) ?? []), point]);
  return [...levels.values()].flatMap((level) => {
    const [first] = level;
    return first === undefined ? [] : [summarizeLevel(first, level)];
  });
}

function summarizeLevel(first: LoadPoint, level: readonly LoadPoint[]): LevelSummary {
  const middle = (read: (metrics: LoadPoint["metrics"]) => number | null | undefined) => {
    const known = level.map((point) => read(point.metrics)).filter((value) => typeof value === "number");
    return known.length === 0 ? null : median(known);
  };
  return {
    workload: first.workload,
    load: first.requestRate === null ? String(first.concurrency) : `${first.requestRate} req/s`,
    repeats: level.length,
    requests: level.reduce((sum, point) => sum + point.requests, 0),
    ok: level.reduce((sum, point) => sum + (point.outcomes.ok ?? 0), 0),
    ttftP50Ms: middle((metrics) => metrics.ttftMs?.p50),
    tpotP50Ms: middle((metrics) => metrics.tpotMs?.p50),
    userTokS: middle((metrics) => metrics.userTokS?.p50),
    outputTokS: middle((metrics) => metrics.outputTokS),
  };
}
