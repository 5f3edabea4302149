import { z } from "zod";
import { distributionOf } from "../measure/distribution.ts";
import { foreignDistribution } from "./foreign-distribution.ts";
import { type ForeignDialect, type ForeignLevel, type ForeignResult, tokensEach } from "./foreign-result.ts";

const number = z.number().nullish();

const statistics = z.object({
  mean: z.number(),
  median: number,
  min: number,
  max: number,
  total_sum: number,
  percentiles: z.object({ p90: number, p95: number, p99: number }).nullish(),
});
type Statistics = z.output<typeof statistics>;

const metric = z.looseObject({ successful: statistics.nullish() }).nullish();

const request = z.looseObject({
  time_to_first_token_ms: number,
  inter_token_latency_ms: number,
  info: z.looseObject({
    error: z.string().nullish(),
    timings: z.looseObject({ request_start: number, last_token_iteration: number }),
  }),
});

const benchmark = z.looseObject({
  config: z.looseObject({
    strategy: z.looseObject({ type_: z.string(), streams: z.int().positive().nullish(), rate: number }),
    backend: z.looseObject({ model: z.string().nullish(), request_format: z.string().nullish() }).nullish(),
  }),
  scheduler_metrics: z.looseObject({ measure_start_time: z.number(), measure_end_time: z.number() }),
  metrics: z.looseObject({
    request_totals: z.object({ successful: z.int(), errored: z.int(), incomplete: z.int() }),
    prompt_token_count: metric,
    output_token_count: metric,
    time_to_first_token_ms: metric,
    inter_token_latency_ms: metric,
    request_latency: metric,
  }),
  requests: z.looseObject({ successful: z.array(request).nullish(), errored: z.array(request).nullish() }).nullish(),
});
type Benchmark = z.output<typeof benchmark>;

const resultSchema = z.looseObject({
  metadata: z.looseObject({ guidellm_version: z.string().nullish() }),
  benchmarks: z.array(benchmark).min(1),
});

/** The JSON of GuideLLM from 0.4 on: one benchmark for each load. */
export const guidellm: ForeignDialect = {
  tool: "GuideLLM",
  recognizes: (value) =>
    Array.isArray(value["benchmarks"]) &&
    typeof value["metadata"] === "object" &&
    "guidellm_version" in (value["metadata"] ?? {}),
  read: (value) => resultOf(resultSchema.parse(value)),
};

function resultOf({ metadata, benchmarks }: z.output<typeof resultSchema>): ForeignResult {
  const [first] = benchmarks as [Benchmark];
  const { backend } = first.config;
  const format = backend?.request_format;
  const { successful } = first.metrics.request_totals;
  const total = (of: Benchmark["metrics"]["prompt_token_count"]) => of?.successful?.total_sum ?? null;
  return {
    tool: "GuideLLM",
    toolVersion: metadata.guidellm_version ?? null,
    model: backend?.model ?? null,
    shape: {
      endpoint: format === "/v1/chat/completions" || format === "/v1/completions" ? format : null,
      inputTokens: tokensEach(total(first.metrics.prompt_token_count), successful),
      outputTokens: tokensEach(total(first.metrics.output_token_count), successful),
    },
    levels: benchmarks.map(levelOf),
    notes: [
      "its time_per_output_token includes the time to the first token and was not read: TPOT is its inter_token_latency",
      "all times are from the wall clock: a correction of the clock is in them",
      ...(benchmarks.some(({ config }) => typeof config.strategy.rate === "number")
        ? ["latencies count from when a request went out, not from when it was due"]
        : []),
      ...(benchmarks.some((one) => requestsOf(one) === null)
        ? ["without its list of requests, E2E ends with the response and TPOT percentiles are weighted by tokens"]
        : []),
    ],
  };
}

function levelOf(one: Benchmark): ForeignLevel {
  const { request_totals: totals, ...metrics } = one.metrics;
  const { measure_start_time: startS, measure_end_time: endS } = one.scheduler_metrics;
  const { streams, rate, type_: strategy } = one.config.strategy;
  const ok = totals.successful;
  const total = (of: typeof metrics.prompt_token_count) => of?.successful?.total_sum ?? null;
  return {
    concurrency: streams ?? (strategy === "synchronous" ? 1 : null),
    requestRate: rate ?? null,
    startedAt: new Date(startS * 1000).toISOString(),
    durationMs: (endS - startS) * 1000,
    requests: ok + totals.errored + totals.incomplete,
    ok,
    promptTokens: total(metrics.prompt_token_count),
    outputTokens: total(metrics.output_token_count),
    firstEventMs: null,
    chunkGapMs: null,
    ...(requestsOf(one) ?? summaryOf(one)),
    failures: [...new Set((one.requests?.errored ?? []).flatMap(({ info }) => info.error ?? []))].slice(0, 5),
  };
}

type Latencies = Pick<ForeignLevel, "ttftMs" | "tpotMs" | "e2eMs" | "userTokS">;

/** From its list of requests, by our formulas; null when the list is not whole. */
function requestsOf({ requests, metrics }: Benchmark): Latencies | null {
  const ok = requests?.successful ?? [];
  if (ok.length === 0 || ok.length !== metrics.request_totals.successful) return null;
  const known = (values: readonly (number | null | undefined)[]) => values.filter((value) => typeof value === "number");
  const tpots = known(ok.map((one) => one.inter_token_latency_ms)).filter((ms) => ms > 0);
  return {
    ttftMs: distributionOf(known(ok.map((one) => one.time_to_first_token_ms))),
    tpotMs: distributionOf(tpots),
    e2eMs: distributionOf(
      ok.flatMap(({ info: { timings } }) =>
        typeof timings.request_start === "number" && typeof timings.last_token_iteration === "number"
          ? [(timings.last_token_iteration - timings.request_start) * 1000]
          : [],
      ),
    ),
    userTokS: distributionOf(tpots.map((ms) => 1000 / ms)),
  };
}

function summaryOf({ metrics }: Benchmark): Latencies {
  const ok = metrics.request_totals.successful;
  const read = (of: { successful?: Statistics | null | undefined } | null | undefined, scale = 1) =>
    of?.successful
      ? foreignDistribution({ ...of.successful, ...of.successful.percentiles, p50: of.successful.median }, ok, scale)
      : null;
  return {
    ttftMs: read(metrics.time_to_first_token_ms),
    tpotMs: read(metrics.inter_token_latency_ms),
    e2eMs: read(metrics.request_latency, 1000),
    userTokS: null,
  };
}
