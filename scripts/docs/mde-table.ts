import { compareFamily, type Match } from "../../src/analyse/compare.ts";
import type { Sample } from "../../src/analyse/comparison.ts";
import { METRICS } from "../../src/analyse/metric-definition.ts";
import { DEFAULT_RULES, GATED_BY_DEFAULT } from "../../src/config/gate-schema.ts";
import type { MetricName } from "../../src/config/run-config.ts";
import { code, table } from "./markdown.ts";

const REPEATS = [3, 5, 10];
const LEVELS = [1, 4, 12];

/** Values like those of an 8B model on A770 cards; they matter only where a floor in the unit of the metric applies. */
const USUAL_VALUE: Readonly<Record<MetricName, number>> = {
  output_tok_s: 400,
  tpot_p50_ms: 25,
  ttft_p50_ms: 500,
  e2e_p50_ms: 13_000,
  request_s: 0.8,
  success_ratio: 1,
};

/** Smallest regressions that are found 4 times out of 5, by the code that judges, at the noise it assumes beforehand. */
export function mdeTable(): string {
  const rows = GATED_BY_DEFAULT.map((metric) => [
    code(metric),
    ...REPEATS.map((repeats) => `${mdePct(metric, repeats).toFixed(1)} %`),
  ]);
  return table(["Metric", ...REPEATS.map((repeats) => `${repeats} repeats`)], rows);
}

function mdePct(metric: MetricName, repeats: number): number {
  const matches = GATED_BY_DEFAULT.flatMap((name) => LEVELS.map((level) => matchOf(name, level, repeats)));
  const found = compareFamily(matches).find((comparison) => comparison.metric === metric)?.mdePct;
  if (found === null || found === undefined) throw new Error(`No minimum detectable effect for ${metric}`);
  return found;
}

function matchOf(metric: MetricName, concurrency: number, repeats: number): Match {
  const sample = sampleOf(metric, concurrency, repeats);
  return { baseline: sample, current: sample, rule: DEFAULT_RULES[metric] };
}

/** Repeats spread evenly, with exactly the standard deviation that is assumed for the metric. */
function sampleOf(metric: MetricName, concurrency: number, repeats: number): Sample {
  const { unit, direction, noise } = METRICS[metric];
  const steps = Array.from({ length: repeats }, (_, index) => index - (repeats - 1) / 2);
  const sd = Math.sqrt(steps.reduce((sum, step) => sum + step ** 2, 0) / (repeats - 1));
  const values = steps.map((step) => USUAL_VALUE[metric] * Math.exp((step / sd) * noise.repeatSd));
  return { metric, unit, direction, workload: "usual", concurrency, requestRate: null, values };
}
