import type { ModelStream } from "../ports/model-stream.ts";
import { type PrometheusSample, parsePrometheusText } from "./prometheus-text.ts";
import type { ServerAddress } from "./server-tokenizer.ts";

/** What vLLM counts about itself, summed over its engines; null: this version does not export it. Times in ms. */
export interface ServerCounters {
  readonly promptTokens: number | null;
  readonly generationTokens: number | null;
  readonly successes: number | null;
  readonly ttft: Histogram | null;
  readonly itl: Histogram | null;
  readonly e2e: Histogram | null;
  readonly preemptions: number | null;
  readonly prefixQueries: number | null;
  readonly prefixHits: number | null;
  readonly running: number | null;
  readonly waiting: number | null;
  /** 0 to 1. */
  readonly kvCacheUsage: number | null;
}

export interface Histogram {
  readonly sumMs: number;
  readonly count: number;
}

const TIMEOUT_MS = 5000;

/** Reads /metrics once. Null when the server has none, or none of vLLM's. */
export async function readServerCounters(
  models: ModelStream,
  server: ServerAddress,
  signal: AbortSignal,
): Promise<ServerCounters | null> {
  try {
    const url = `${server.baseUrl}/metrics`;
    const key = server.apiKey === null ? {} : { apiKey: server.apiKey };
    const answer = await models.ask({ method: "GET", url, headers: {}, ...key }, { timeoutMs: TIMEOUT_MS, signal });
    return answer.status === 200 ? countersOf(answer.body) : null;
  } catch {
    // A benchmark does not fail because nobody looks over its shoulder.
    return null;
  }
}

/** Names of vLLM 0.8 to 0.32: the inter-token histogram and the cache gauge were renamed in between. */
export function countersOf(text: string): ServerCounters | null {
  const samples = parsePrometheusText(text).filter(({ name }) => name.startsWith("vllm:"));
  if (samples.length === 0) return null;
  return {
    promptTokens: total(samples, "prompt_tokens"),
    generationTokens: total(samples, "generation_tokens"),
    successes: total(samples, "request_success"),
    ttft: histogram(samples, "time_to_first_token_seconds"),
    itl: histogram(samples, "inter_token_latency_seconds") ?? histogram(samples, "time_per_output_token_seconds"),
    e2e: histogram(samples, "e2e_request_latency_seconds"),
    preemptions: total(samples, "num_preemptions"),
    prefixQueries: total(samples, "prefix_cache_queries") ?? total(samples, "gpu_prefix_cache_queries"),
    prefixHits: total(samples, "prefix_cache_hits") ?? total(samples, "gpu_prefix_cache_hits"),
    running: total(samples, "num_requests_running"),
    waiting: total(samples, "num_requests_waiting"),
    kvCacheUsage: total(samples, "kv_cache_usage_perc") ?? total(samples, "gpu_cache_usage_perc"),
  };
}

/** Sum over all series of a gauge or counter. The `_total` of a counter depends on the client library. */
function total(samples: readonly PrometheusSample[], name: string): number | null {
  const series = samples.filter((sample) => sample.name === `vllm:${name}` || sample.name === `vllm:${name}_total`);
  return series.length === 0 ? null : series.reduce((sum, { value }) => sum + value, 0);
}

function histogram(samples: readonly PrometheusSample[], name: string): Histogram | null {
  const sum = total(samples, `${name}_sum`);
  const count = total(samples, `${name}_count`);
  return sum === null || count === null ? null : { sumMs: sum * 1000, count };
}
