import type { EngineStats } from "./vllm-engine.ts";

/** Counters and histograms of the look-alike, filled by the streams it really sent. */
export interface VllmMetrics {
  firstToken(request: { ttftMs: number; promptTokens: number }): void;
  nextToken(gapMs: number): void;
  finished(request: FinishedRequest): void;
  /** The text of GET /metrics in Prometheus' format, with vLLM's names. */
  render(stats: EngineStats): string;
}

export interface FinishedRequest {
  readonly reason: "stop" | "length";
  readonly e2eMs: number;
  readonly queuedMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
}

const BUCKETS = {
  ttft: [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160],
  perToken: [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80],
  request: [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680],
  tokens: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000],
};

export function vllmMetrics(modelName: string): VllmMetrics {
  const labels = `engine="0",model_name="${modelName}"`;
  const histograms = {
    time_to_first_token_seconds: histogram(BUCKETS.ttft),
    inter_token_latency_seconds: histogram(BUCKETS.perToken),
    request_time_per_output_token_seconds: histogram(BUCKETS.perToken),
    e2e_request_latency_seconds: histogram(BUCKETS.request),
    request_queue_time_seconds: histogram(BUCKETS.request),
    request_inference_time_seconds: histogram(BUCKETS.request),
    request_prefill_time_seconds: histogram(BUCKETS.request),
    request_decode_time_seconds: histogram(BUCKETS.request),
    request_prompt_tokens: histogram(BUCKETS.tokens),
    request_generation_tokens: histogram(BUCKETS.tokens),
  };
  let promptTokens = 0;
  let generationTokens = 0;
  const finishedBy = { stop: 0, length: 0, abort: 0, error: 0, repetition: 0 };

  return {
    firstToken({ ttftMs, promptTokens: prompt }) {
      promptTokens += prompt;
      generationTokens += 1;
      histograms.time_to_first_token_seconds.observe(ttftMs / 1000);
    },
    nextToken(gapMs) {
      generationTokens += 1;
      histograms.inter_token_latency_seconds.observe(gapMs / 1000);
    },
    finished(request) {
      finishedBy[request.reason] += 1;
      histograms.e2e_request_latency_seconds.observe(request.e2eMs / 1000);
      histograms.request_queue_time_seconds.observe(request.queuedMs / 1000);
      histograms.request_inference_time_seconds.observe((request.prefillMs + request.decodeMs) / 1000);
      histograms.request_prefill_time_seconds.observe(request.prefillMs / 1000);
      histograms.request_decode_time_seconds.observe(request.decodeMs / 1000);
      histograms.request_prompt_tokens.observe(request.promptTokens);
      histograms.request_generation_tokens.observe(request.outputTokens);
      if (request.outputTokens > 1) {
        const perToken = request.decodeMs / (request.outputTokens - 1) / 1000;
        histograms.request_time_per_output_token_seconds.observe(perToken);
      }
    },
    render: (stats) =>
      [
        "# Simulated: written by the embedded host of arc-vllm.",
        ...gauge("num_requests_running", labels, stats.running),
        ...gauge("num_requests_waiting", labels, stats.waiting),
        ...gauge("kv_cache_usage_perc", labels, stats.cacheUsage),
        ...counter("num_preemptions", [[labels, 0]]),
        ...counter("prompt_tokens", [[labels, promptTokens]]),
        ...counter("generation_tokens", [[labels, generationTokens]]),
        ...counter(
          "request_success",
          Object.entries(finishedBy).map(([reason, count]) => [`${labels},finished_reason="${reason}"`, count]),
        ),
        ...Object.entries(histograms).flatMap(([name, values]) => values.render(name, labels)),
        "",
      ].join("\n"),
  };
}

function histogram(bounds: readonly number[]) {
  const counts = bounds.map(() => 0);
  let count = 0;
  let sum = 0;
  return {
    observe(value: number): void {
      count += 1;
      sum += value;
      bounds.forEach((bound, at) => {
        if (value <= bound) counts[at] = (counts[at] ?? 0) + 1;
      });
    },
    render(name: string, labels: string): string[] {
      const full = `vllm:${name}`;
      const bucket = (bound: string, value: number) => `${full}_bucket{${labels},le="${bound}"} ${decimal(value)}`;
      return [
        `# HELP ${full} Histogram of ${name.replaceAll("_", " ")}.`,
        `# TYPE ${full} histogram`,
        ...bounds.map((bound, at) => bucket(decimal(bound), counts[at] ?? 0)),
        bucket("+Inf", count),
        `${full}_count{${labels}} ${decimal(count)}`,
        `${full}_sum{${labels}} ${sum}`,
      ];
    },
  };
}

function gauge(name: string, labels: string, value: number): string[] {
  const full = `vllm:${name}`;
  return [
    `# HELP ${full} ${name.replaceAll("_", " ")}.`,
    `# TYPE ${full} gauge`,
    `${full}{${labels}} ${decimal(value)}`,
  ];
}

function counter(name: string, series: readonly (readonly [string, number])[]): string[] {
  const full = `vllm:${name}_total`;
  const lines = series.map(([labels, value]) => `${full}{${labels}} ${decimal(value)}`);
  return [`# HELP ${full} Number of ${name.replaceAll("_", " ")}.`, `# TYPE ${full} counter`, ...lines];
}

/** The Prometheus client of Python writes every number as a float. */
function decimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
