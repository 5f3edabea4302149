import { quantileOf } from "./distribution.ts";
import type { RequestTrace } from "./load-point.ts";
import { durationMsOf, gapsOf } from "./summarize.ts";

/** What vllm_online_benchmark.py prints, by its own formulas. Null: no request gave a value. */
export interface OnlineBenchmarkFigures {
  readonly requests: number;
  readonly totalS: number;
  readonly meanResponseS: number | null;
  /** All requests times the length that was asked for, over the time, whatever came back. */
  readonly tokenThroughput: number | null;
  readonly firstTokenMs: MeanAndTails | null;
  /** Over requests, of the mean gap between the chunks of each. */
  readonly nextTokenMs: MeanAndTails | null;
}

export interface MeanAndTails {
  readonly mean: number;
  readonly p90: number;
  readonly p95: number;
}

/** ipex-llm's formulas (python/llm/.../vllm_online_benchmark.py) on requests that we measured. */
export function onlineBenchmarkFigures(traces: readonly RequestTrace[], outputTokens: number): OnlineBenchmarkFigures {
  const ok = traces.filter(({ outcome }) => outcome === "ok");
  const totalS = durationMsOf(traces) / 1000;
  const responsesS = ok.map(({ sentMs, endMs }) => (endMs - sentMs) / 1000);
  return {
    requests: traces.length,
    totalS,
    meanResponseS: meanAndTails(responsesS)?.mean ?? null,
    tokenThroughput: totalS > 0 ? (traces.length * outputTokens) / totalS : null,
    firstTokenMs: meanAndTails(
      ok.flatMap(({ firstEventMs, sentMs }) => (firstEventMs === null ? [] : [firstEventMs - sentMs])),
    ),
    nextTokenMs: meanAndTails(ok.flatMap(({ chunkMs }) => (chunkMs.length < 2 ? [] : [meanOf([...gapsOf(chunkMs)])]))),
  };
}

/** Tails of however few values, as numpy gives them: that is what the script prints. */
function meanAndTails(values: readonly number[]): MeanAndTails | null {
  const [p90, p95] = [quantileOf(values, 0.9), quantileOf(values, 0.95)];
  return p90 === null || p95 === null ? null : { mean: meanOf(values), p90, p95 };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
