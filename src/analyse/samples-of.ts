import type { MetricName } from "../config/run-config.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import { metricValue } from "../record/metric-value.ts";
import type { RunRecord } from "../record/run-record.ts";
import type { Sample } from "./comparison.ts";
import { METRICS } from "./metric-definition.ts";

/**
 * One sample per load point and metric, one value per repeat in the order of the repeats; a missing value is NaN. The
 * levels of a sweep are left out: which ones it tries is a result, not a recipe.
 */
export function samplesOf(record: Pick<RunRecord, "points">, metrics: readonly MetricName[]): Sample[] {
  const levels = new Map<string, LoadPoint[]>();
  const measured = record.points.filter(({ sweep }) => !sweep);
  for (const point of measured) levels.set(levelKey(point), [...(levels.get(levelKey(point)) ?? []), point]);
  return [...levels.values()].flatMap((points) => metrics.map((metric) => sampleOf(metric, points)));
}

/** Whether two samples hold the same metric at the same load point. */
export function isSameMeasure(a: Sample, b: Sample): boolean {
  return a.metric === b.metric && levelKey(a) === levelKey(b);
}

function levelKey(level: Pick<LoadPoint, "workload" | "concurrency" | "requestRate">): string {
  return JSON.stringify([level.workload, level.concurrency, level.requestRate]);
}

function sampleOf(metric: MetricName, points: readonly LoadPoint[]): Sample {
  const [first] = points;
  if (first === undefined) throw new Error("A level has at least one load point");
  const { workload, concurrency, requestRate } = first;
  const { unit, direction } = METRICS[metric];
  const inOrder = [...points].sort((a, b) => a.repeat - b.repeat);
  const values = inOrder.map((point) => metricValue(point, metric) ?? Number.NaN);
  return { metric, unit, direction, workload, concurrency, requestRate, values };
}
