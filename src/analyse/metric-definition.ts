import type { MetricName } from "../config/run-config.ts";
import type { Direction } from "./comparison.ts";

export interface MetricDefinition {
  readonly label: string;
  readonly unit: string;
  /** Which direction is better. */
  readonly direction: Direction;
  /** What is known about its noise before anything was measured, as standard deviations of ln(value). */
  readonly noise: NoiseClass;
}

export interface NoiseClass {
  /** Between repeats on one server. */
  readonly repeatSd: number;
  /** Between server starts: repeats share it, so no number of repeats shows it or averages it out. */
  readonly startSd: number;
}

const STEADY = noiseOfPairs(1.5);
const FIRST_TOKEN = noiseOfPairs(5);

export const METRICS: Readonly<Record<MetricName, MetricDefinition>> = {
  output_tok_s: { label: "output tok/s", unit: "tok/s", direction: "higher", noise: STEADY },
  request_s: { label: "requests/s", unit: "req/s", direction: "higher", noise: STEADY },
  tpot_p50_ms: { label: "TPOT p50", unit: "ms", direction: "lower", noise: STEADY },
  ttft_p50_ms: { label: "TTFT p50", unit: "ms", direction: "lower", noise: FIRST_TOKEN },
  e2e_p50_ms: { label: "E2E p50", unit: "ms", direction: "lower", noise: STEADY },
  success_ratio: { label: "success ratio", unit: "ratio", direction: "higher", noise: STEADY },
};

/**
 * Class defaults for a host without history, given as the SD of the log ratio of two fresh runs. Two runs have twice
 * the variance of one, and half of that is put down to the server start: on Intel B580 nightlies next-day and same-day
 * noise are alike (ratio 1.0 to 1.2), text generation has 1.0 % from run to run, and TTFT about four times as much.
 */
function noiseOfPairs(sdPct: number): NoiseClass {
  const each = sdPct / 100 / 2;
  return { repeatSd: each, startSd: each };
}
