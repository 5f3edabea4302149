import { z } from "zod";
import { foreignDistribution } from "./foreign-distribution.ts";
import type { ForeignDialect, ForeignLevel, ForeignResult } from "./foreign-result.ts";

const number = z.number().nullish();
const block = z.object({
  unit: z.string(),
  avg: z.number(),
  p50: number,
  p90: number,
  p95: number,
  p99: number,
  min: number,
  max: number,
});
type Block = z.output<typeof block>;

const phase = z.looseObject({ kind: z.string().nullish(), concurrency: z.int().positive().nullish(), rate: number });

const resultSchema = z.object({
  aiperf_version: z.string().nullish(),
  start_time: z.string().nullish(),
  was_cancelled: z.boolean().nullish(),
  benchmark_duration: block,
  request_count: block.nullish(),
  error_request_count: block.nullish(),
  time_to_first_token: block.nullish(),
  inter_token_latency: block.nullish(),
  request_latency: block.nullish(),
  inter_chunk_latency: block.nullish(),
  output_token_throughput_per_user: block.nullish(),
  total_isl: block.nullish(),
  total_output_tokens: block.nullish(),
  total_usage_prompt_tokens: block.nullish(),
  total_usage_completion_tokens: block.nullish(),
  error_summary: z
    .array(
      z.object({
        error_details: z.object({ code: number, type: z.string().nullish(), message: z.string() }),
        count: z.int(),
      }),
    )
    .nullish(),
  input_config: z.looseObject({
    models: z.looseObject({ items: z.array(z.looseObject({ name: z.string() })) }).nullish(),
    endpoint: z.looseObject({ type: z.string().nullish(), streaming: z.boolean().nullish() }).nullish(),
    datasets: z
      .array(z.looseObject({ prompts: z.looseObject({ isl: length().nullish(), osl: length().nullish() }).nullish() }))
      .nullish(),
    phases: z.array(phase).nullish(),
  }),
});

type Result = z.output<typeof resultSchema>;

/** `profile_export_aiperf.json` of AIPerf. */
export const aiperf: ForeignDialect = {
  tool: "AIPerf",
  recognizes: (value) => "aiperf_version" in value || ("benchmark_id" in value && "input_sequence_length" in value),
  read: (value) => resultOf(resultSchema.parse(value)),
};

function resultOf(result: Result): ForeignResult {
  const { input_config: config } = result;
  const prompts = config.datasets?.[0]?.prompts;
  return {
    tool: "AIPerf",
    toolVersion: result.aiperf_version ?? null,
    model: config.models?.items[0]?.name ?? null,
    shape: {
      endpoint: endpointOf(config.endpoint?.type),
      inputTokens: fixed(prompts?.isl),
      outputTokens: fixed(prompts?.osl),
    },
    levels: [levelOf(result)],
    notes: [
      "an error inside a stream counts as a complete answer: the success ratio may be too good",
      ...(rateOf(result) === null ? [] : ["latencies count from when a request went out, not from when it was due"]),
      ...(isOwnCountOff(result) ? [OWN_COUNT] : []),
      ...(result.was_cancelled === true ? ["the run was cancelled"] : []),
    ],
  };
}

/** Unless told otherwise AIPerf counts tokens with a tokenizer of its own. */
const OWN_COUNT =
  "its own tokenizer counted other numbers of tokens than the server, so its time per token is left out and throughput is by the server's count (use --use-server-token-count)";

function isOwnCountOff({ total_output_tokens: own, total_usage_completion_tokens: server }: Result): boolean {
  return !!own && !!server && Math.abs(own.avg / server.avg - 1) > 0.01;
}

function levelOf(result: Result): ForeignLevel {
  const ok = result.request_count?.avg ?? 0;
  const rate = rateOf(result);
  const read = (metric: Block | null | undefined) =>
    metric ? foreignDistribution({ ...metric, mean: metric.avg }, ok, metric.unit === "sec" ? 1000 : 1) : null;
  const perToken = isOwnCountOff(result) ? null : read(result.inter_token_latency);
  return {
    concurrency: rate === null ? (profilingOf(result)?.concurrency ?? null) : null,
    requestRate: rate,
    startedAt: isoOf(result.start_time),
    durationMs: result.benchmark_duration.avg * 1000,
    requests: ok + (result.error_request_count?.avg ?? 0),
    ok,
    promptTokens: (result.total_usage_prompt_tokens ?? result.total_isl)?.avg ?? null,
    outputTokens: (result.total_usage_completion_tokens ?? result.total_output_tokens)?.avg ?? null,
    ttftMs: read(result.time_to_first_token),
    firstEventMs: null,
    tpotMs: perToken,
    e2eMs: read(result.request_latency),
    chunkGapMs: read(result.inter_chunk_latency),
    userTokS: perToken === null ? null : read(result.output_token_throughput_per_user),
    failures: (result.error_summary ?? []).map(
      ({ error_details: { code, type, message }, count }) =>
        `${count} x ${[code, type].filter(Boolean).join(" ")}: ${message}`,
    ),
  };
}

function profilingOf({ input_config: { phases } }: Result) {
  return phases?.find(({ kind }) => kind === "profiling") ?? phases?.at(-1) ?? null;
}

function rateOf(result: Result): number | null {
  return profilingOf(result)?.rate ?? null;
}

function length() {
  return z.looseObject({ mean: number, stddev: number });
}

function fixed(tokens: z.output<ReturnType<typeof length>> | null | undefined): number | null {
  return tokens && !tokens.stddev ? (tokens.mean ?? null) : null;
}

function endpointOf(type: string | null | undefined): "/v1/completions" | "/v1/chat/completions" | null {
  if (type === "chat") return "/v1/chat/completions";
  return type === "completions" ? "/v1/completions" : null;
}

/** Without a zone in it; UTC is assumed. */
function isoOf(time: string | null | undefined): string | null {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,3})?/.exec(time ?? "");
  return parts === null ? null : `${parts[1]}${(parts[2] ?? ".").padEnd(4, "0")}Z`;
}
