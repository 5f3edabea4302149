import { z } from "zod";
import { foreignDistribution } from "./foreign-distribution.ts";
import { type ForeignDialect, type ForeignLevel, type ForeignResult, tokensEach } from "./foreign-result.ts";

const number = z.number().nullish();
const statistics = z.object({
  mean: z.number(),
  median: number,
  min: number,
  max: number,
  p90: number,
  p95: number,
  p99: number,
});
type Statistics = z.output<typeof statistics>;

const resultSchema = z.looseObject({
  benchmark_time_seconds: z.number().nonnegative(),
  load_summary: z.looseObject({
    count: z.int(),
    requested_rate: number,
    concurrency: z.int().positive().nullish(),
    schedule_delay: statistics.nullish(),
  }),
  successes: z.looseObject({
    count: z.int(),
    latency: z.looseObject({
      request_latency: statistics.nullish(),
      time_per_output_token: statistics.nullish(),
      time_to_first_token: statistics.nullish(),
      inter_token_latency: statistics.nullish(),
    }),
    throughput: z.looseObject({ input_tokens_per_sec: number, output_tokens_per_sec: number }),
    token_count_mismatches: number,
  }),
  failures: z.looseObject({
    count: z.int(),
    by_label: z.record(z.string(), z.looseObject({ count: z.int() })).nullish(),
  }),
});
type Result = z.output<typeof resultSchema>;

/** A lifecycle report of inference-perf: of one stage, or the summary of all. It names neither server nor model. */
export const inferencePerf: ForeignDialect = {
  tool: "inference-perf",
  recognizes: (value) => "benchmark_time_seconds" in value && "load_summary" in value,
  read: (value) => resultOf(resultSchema.parse(value)),
};

function resultOf(result: Result): ForeignResult {
  const level = levelOf(result);
  return {
    tool: "inference-perf",
    toolVersion: null,
    model: null,
    shape: {
      endpoint: null,
      inputTokens: tokensEach(level.promptTokens, level.ok),
      outputTokens: tokensEach(level.outputTokens, level.ok),
    },
    levels: [level],
    notes: [
      "tokens are counted with its own tokenizer unless use_server_output_tokens was set",
      "an error inside a stream and a stream that it cannot parse count as complete answers: the success ratio may be too good",
      "reasoning does not count: with a reasoning model TTFT is late",
      "E2E ends with the response, a little after the last token",
      ...(level.requestRate === null ? [] : ["latencies count from when a request went out, not from when it was due"]),
      ...(isCountOff(result)
        ? ["its token counts differ from the server's: times per token, tokens and throughput are left out"]
        : []),
    ],
  };
}

function isCountOff({ successes }: Result): boolean {
  return (successes.token_count_mismatches ?? 0) > 0;
}

function levelOf(result: Result): ForeignLevel {
  const { benchmark_time_seconds: seconds, load_summary: load, successes, failures } = result;
  const { latency, throughput } = successes;
  const read = (of: Statistics | null | undefined) =>
    of ? foreignDistribution({ ...of, p50: of.median }, successes.count, 1000) : null;
  const concurrency = load.concurrency ?? null;
  return {
    concurrency,
    // A stage of constant concurrency has a rate too, which means nothing.
    requestRate: concurrency === null ? (load.requested_rate ?? null) : null,
    startedAt: null,
    durationMs: seconds * 1000,
    requests: successes.count + failures.count,
    ok: successes.count,
    promptTokens: tokensOf(throughput.input_tokens_per_sec, seconds),
    outputTokens: isCountOff(result) ? null : tokensOf(throughput.output_tokens_per_sec, seconds),
    ttftMs: read(latency.time_to_first_token),
    firstEventMs: null,
    tpotMs: isCountOff(result) ? null : read(latency.time_per_output_token),
    e2eMs: read(latency.request_latency),
    // Its inter-token list holds a zero for every further token of a chunk.
    chunkGapMs: null,
    userTokS: null,
    failures: Object.entries(failures.by_label ?? {}).map(([label, { count }]) => `${count} x ${label}`),
  };
}

function tokensOf(perSecond: number | null | undefined, seconds: number): number | null {
  return perSecond === null || perSecond === undefined ? null : Math.round(perSecond * seconds);
}
