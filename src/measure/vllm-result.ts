import type { Workload } from "../config/run-config.ts";
import { quantileOf } from "./distribution.ts";
import type { LoadPoint, RequestTrace } from "./load-point.ts";
import { e2eMsOf, gapsOf, tpotMsOf, ttftMsOf } from "./summarize.ts";

export interface VllmResultOptions {
  readonly model: string;
  readonly baseUrl: string;
  /** `--max-concurrency` as it was given; null when it was not. */
  readonly maxConcurrency: number | null;
  readonly label: string | null;
}

const PERCENTILES = [50, 90, 95, 99] as const;

/**
 * One load point in the flat JSON of `vllm bench serve --save-result --save-detailed`: lists in seconds, `_ms` in
 * milliseconds. Where vLLM has a number and we know it is not known, the key is null. TTFT leaves the role chunk out.
 */
export function vllmResult(
  workload: Workload,
  point: LoadPoint,
  traces: readonly RequestTrace[],
  options: VllmResultOptions,
): Record<string, unknown> {
  const ok = traces.filter((trace) => trace.outcome === "ok");
  const { metrics } = point;
  return {
    date: vllmDate(point.startedAt),
    endpoint_type: workload.endpoint === "/v1/completions" ? "openai" : "openai-chat",
    backend: workload.endpoint === "/v1/completions" ? "openai" : "openai-chat",
    label: options.label,
    model_id: options.model,
    tokenizer_id: options.model,
    num_prompts: point.requests,
    ...rateFields({ ...workload, requestRate: point.requestRate }),
    max_concurrency: options.maxConcurrency,
    duration: point.durationMs / 1000,
    completed: ok.length,
    failed: traces.length - ok.length,
    total_input_tokens: metrics.promptTokens,
    total_output_tokens: metrics.outputTokens,
    request_throughput: metrics.requestS,
    request_goodput: null,
    output_throughput: metrics.outputTokS,
    total_token_throughput: metrics.totalTokS,
    max_output_tokens_per_s: mostTokensInASecond(ok),
    max_concurrent_requests: mostAtOnce(traces),
    ...statistics("ttft", ok.map(ttftMsOf)),
    ...statistics("tpot", ok.map(tpotMsOf)),
    ...statistics(
      "itl",
      ok.flatMap((trace) => [...gapsOf(trace.chunkMs)]),
    ),
    ...statistics("e2el", ok.map(e2eMsOf)),
    latencies: ok.map((trace) => seconds(e2eMsOf(trace))),
    input_lens: traces.map((trace) => trace.promptTokens),
    output_lens: traces.map((trace) => trace.outputTokens),
    ttfts: traces.map((trace) => seconds(ttftMsOf(trace))),
    itls: traces.map((trace) => Array.from(gapsOf(trace.chunkMs), (gap) => gap / 1000)),
    start_times: traces.map((trace) => trace.sentMs / 1000),
    errors: traces.map((trace) => (trace.outcome === "ok" ? "" : `${trace.outcome}: ${trace.detail ?? ""}`)),
  };
}

/** A ramp replaces the rate. JSON has no infinite burstiness, which is what vLLM calls constant gaps. */
function rateFields({ requestRate, rampFromRate, ramp, arrivals, burstiness = 1 }: Workload) {
  const shape = { burstiness: arrivals === "constant" ? "inf" : burstiness };
  if (rampFromRate === undefined) return { request_rate: requestRate ?? "inf", ...shape };
  const rates = { ramp_up_start_rps: rampFromRate, ramp_up_end_rps: requestRate };
  return { request_rate: "inf", ...shape, ramp_up_strategy: ramp ?? "linear", ...rates };
}

/** vLLM's spelling of a moment: 20260131-235959. */
export function vllmDate(iso: string): string {
  return iso.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
}

function statistics(name: string, values: readonly (number | null)[]): Record<string, number | null> {
  const known = values.filter((value) => value !== null);
  const n = known.length;
  const mean = n === 0 ? null : known.reduce((sum, value) => sum + value, 0) / n;
  // numpy's default: the population's standard deviation.
  const std = mean === null ? null : Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
  return {
    [`mean_${name}_ms`]: mean,
    [`median_${name}_ms`]: quantileOf(known, 0.5),
    [`std_${name}_ms`]: std,
    ...Object.fromEntries(PERCENTILES.map((p) => [`p${p}_${name}_ms`, quantileOf(known, p / 100)])),
  };
}

/** Most tokens that arrived within one second of the run; the tokens of an answer are spread over its chunks evenly. */
function mostTokensInASecond(ok: readonly RequestTrace[]): number | null {
  const start = Math.min(...ok.map((trace) => trace.sentMs));
  const perSecond: number[] = [];
  for (const { chunkMs, outputTokens } of ok) {
    if (outputTokens === null) return null;
    for (const atMs of chunkMs) {
      const second = Math.floor((atMs - start) / 1000);
      perSecond[second] = (perSecond[second] ?? 0) + outputTokens / chunkMs.length;
    }
  }
  const most = perSecond.reduce((sum, tokens) => Math.max(sum, tokens), 0);
  return most === 0 ? null : most;
}

function mostAtOnce(traces: readonly RequestTrace[]): number {
  const edges = traces.flatMap(({ sentMs, endMs }) => [
    { atMs: sentMs, change: 1 },
    { atMs: endMs, change: -1 },
  ]);
  edges.sort((a, b) => a.atMs - b.atMs || a.change - b.change);
  let now = 0;
  let most = 0;
  for (const { change } of edges) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
