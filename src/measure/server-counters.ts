import type { HttpRequest, ModelStream } from "../ports/model-stream.ts";
import type { ServerAddress } from "../prompts/server-tokenizer.ts";
import { type PrometheusSample, parsePrometheusText } from "./prometheus-text.ts";

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

/**
 * A reader of /metrics that gives null when the server has none, or none of vLLM's. It gives up for good when the first
 * look finds nothing: a benchmark neither fails nor waits because nobody looks over its shoulder.
 */
export function serverCounterReader(
  models: ModelStream,
  server: ServerAddress,
  signal: AbortSignal,
): () => Promise<ServerCounters | null> {
  let isMissing = false;
  const request: HttpRequest = {
    method: "GET",
    url: `${server.baseUrl}/metrics`,
    headers: {},
    ...(server.apiKey === null ? {} : { apiKey: server.apiKey }),
  };
  let hasAnswered = false;
  return async () => {
    if (isMissing) return null;
    const answer = await models.ask(request, { timeoutMs: TIMEOUT_MS, signal }).catch(() => null);
    const counters = answer?.status === 200 ? countersOf(answer.body) : null;
    hasAnswered ||= counters !== null;
    isMissing = !hasAnswered;
    return counters;
  };
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
