import { z } from "zod";
import { foreignDistribution } from "./foreign-distribution.ts";
import type { ForeignDialect, ForeignResult } from "./foreign-result.ts";

const number = z.number().nullish();

const statistics = (name: string) => ({
  [`mean_${name}_ms`]: number,
  [`median_${name}_ms`]: number,
  [`p90_${name}_ms`]: number,
  [`p95_${name}_ms`]: number,
  [`p99_${name}_ms`]: number,
});

const resultSchema = z.looseObject({
  backend: z.string(),
  dataset_name: z.string(),
  request_rate: z.union([z.literal("inf"), z.number(), z.null()]),
  max_concurrency: z.int().positive().nullish(),
  random_input_len: number,
  random_output_len: number,
  random_range_ratio: number,
  server_info: z.unknown(),
  duration: z.number().nonnegative(),
  completed: z.int(),
  total_input_tokens: number,
  total_output_tokens: number,
  total_output_tokens_retokenized: number,
  ...statistics("e2e_latency"),
  ...statistics("ttft"),
  ...statistics("tpot"),
  ...statistics("itl"),
});
type Result = z.output<typeof resultSchema>;

/** A line of `sglang.bench_serving --output-file`. How many requests failed is not in it. */
export const sglang: ForeignDialect = {
  tool: "SGLang bench_serving",
  recognizes: (value) => "total_output_tokens_retokenized" in value && "dataset_name" in value,
  read: (value) => resultOf(resultSchema.parse(value)),
};

function resultOf(result: Result): ForeignResult {
  const { completed: ok, request_rate: rate, backend } = result;
  const isClosed = rate === "inf" || rate === null;
  const isFixed = result.dataset_name.startsWith("random") && result.random_range_ratio === 1;
  const read = (name: string) => {
    const value = (statistic: string) => result[`${statistic}_${name}_ms`] as number | null | undefined;
    const tails = { p90: value("p90"), p95: value("p95"), p99: value("p99") };
    return foreignDistribution({ mean: value("mean"), p50: value("median"), ...tails }, ok);
  };
  return {
    tool: "SGLang bench_serving",
    toolVersion: null,
    model: modelOf(result.server_info),
    shape: {
      endpoint: backend.endsWith("-chat")
        ? "/v1/chat/completions"
        : backend === "vllm" || backend === "sglang-oai"
          ? "/v1/completions"
          : null,
      inputTokens: isFixed ? (result.random_input_len ?? null) : null,
      outputTokens: isFixed ? (result.random_output_len ?? null) : null,
    },
    levels: [
      {
        concurrency: isClosed ? (result.max_concurrency ?? ok) : null,
        requestRate: isClosed ? null : rate,
        startedAt: null,
        durationMs: result.duration * 1000,
        requests: ok,
        ok,
        promptTokens: result.total_input_tokens ?? null,
        outputTokens: result.total_output_tokens ?? null,
        ttftMs: read("ttft"),
        firstEventMs: null,
        tpotMs: read("tpot"),
        e2eMs: read("e2e_latency"),
        chunkGapMs: read("itl"),
        userTokS: null,
        failures: [],
      },
    ],
    notes: notesOn(result, isClosed),
  };
}

function notesOn({ total_output_tokens: asked, total_output_tokens_retokenized: counted }: Result, isClosed: boolean) {
  const isFar = asked && counted && Math.abs(counted / asked - 1) > 0.05;
  return [
    "how many requests failed is not in its file: all are taken for complete",
    "tokens are those that were asked for, unless the server reported usage: an answer that ended early counts as whole",
    ...(isFar
      ? [`by its own tokenizer the answers have ${counted} tokens, not ${asked}: throughput and TPOT are doubtful`]
      : []),
    "every request opens a connection of its own, which is part of TTFT",
    "E2E ends with the last line of the stream, after the last token, and TPOT is as much too long",
    "the duration includes a request for the server's state after the run: throughput is a little low",
    ...(isClosed ? [] : ["latencies count from when a request went out, not from when it was due"]),
  ];
}

function modelOf(info: unknown): string | null {
  const parsed = z
    .looseObject({ served_model_name: z.string().nullish(), model_path: z.string().nullish() })
    .safeParse(info);
  return parsed.success ? (parsed.data.served_model_name ?? parsed.data.model_path ?? null) : null;
}
