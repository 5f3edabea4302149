import type { Sample } from "../../src/analyse/comparison.ts";
import { METRICS } from "../../src/analyse/metric-definition.ts";
import type { GateRule, MetricName } from "../../src/config/run-config.ts";
import { exampleGate } from "./example-record.ts";

/** A sample of one metric at chat c=12. */
export function sample(metric: MetricName, values: readonly number[]): Sample {
  const { unit, direction } = METRICS[metric];
  return { metric, unit, direction, workload: "chat", concurrency: 12, requestRate: null, values };
}

/** The default rule of a metric. */
export function ruleOf(metric: MetricName, overrides: Partial<GateRule> = {}): GateRule {
  const rule = exampleGate().rules.find((candidate) => candidate.metric === metric);
  return { metric, deltaPct: 3, budgetPct: 5, floor: null, ...rule, ...overrides };
}

/** A source of standard normal numbers that gives the same ones for the same seed (mulberry32, Box-Muller). */
export function seededNormal(seed: number): () => number {
  let state = seed | 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
