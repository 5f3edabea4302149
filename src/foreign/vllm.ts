import { z } from "zod";
import { distributionOf } from "../measure/distribution.ts";
import type { Distribution } from "../measure/load-point.ts";
import { foreignDistribution } from "./foreign-distribution.ts";
import { type ForeignDialect, type ForeignLevel, type ForeignResult, tokensEach } from "./foreign-result.ts";

const number = z.number().nullish();
const numbers = z.array(z.number());

const statistics = (name: string) => ({
  [`mean_${name}_ms`]: number,
  [`median_${name}_ms`]: number,
  [`p90_${name}_ms`]: number,
  [`p95_${name}_ms`]: number,
  [`p99_${name}_ms`]: number,
});

const resultSchema = z.looseObject({
  date: z.string().nullish(),
  endpoint_type: z.string().nullish(),
  backend: z.string(),
  model_id: z.string(),
  num_prompts: z.int().nonnegative(),
  request_rate: z.union([z.literal("inf"), z.number()]),
  max_concurrency: z.int().positive().nullable(),
  duration: z.number().nonnegative(),
  completed: z.int().nonnegative(),
  total_input_tokens: z.number().nullable(),
  total_output_tokens: z.number().nullable(),
  input_lens: z.array(z.number().nullable()).nullish(),
  output_lens: z.array(z.number().nullable()).nullish(),
  ttfts: z.array(z.number().nullable()).nullish(),
  itls: z.array(numbers).nullish(),
  errors: z.array(z.string()).nullish(),
  failed_requests: z.array(z.unknown()).nullish(),
  ...statistics("ttft"),
  ...statistics("tpot"),
  ...statistics("itl"),
  ...statistics("e2el"),
});

type Result = z.output<typeof resultSchema>;

/** `--save-result` of `vllm bench serve`, in Python and in Rust. With `--save-detailed` every request is read. */
export const vllm: ForeignDialect = {
  tool: "vLLM bench serve",
  recognizes: (value) =>
    "model_id" in value && "num_prompts" in value && "duration" in value && "total_output_tokens" in value,
  read: (value) => resultOf(resultSchema.parse(value)),
};

function resultOf(result: Result): ForeignResult {
  const isRust = "failed_requests" in result || "steady_state" in result;
  const isChat = (result.endpoint_type ?? result.backend).includes("chat");
  const { completed, total_output_tokens: outputTokens } = result;
  return {
    tool: isRust ? "vllm-bench (Rust)" : "vLLM bench serve",
    toolVersion: null,
    model: result.model_id,
    shape: {
      endpoint: isChat ? "/v1/chat/completions" : "/v1/completions",
      inputTokens: tokensEach(result.total_input_tokens, completed),
      outputTokens: tokensEach(outputTokens, completed),
    },
    levels: [levelOf(result, isChat)],
    notes: notesOn(result, isChat, isRust),
  };
}

function levelOf(result: Result, isChat: boolean): ForeignLevel {
  const { completed, num_prompts: requests, max_concurrency: cap, request_rate: rate } = result;
  const isClosed = rate === "inf";
  const measured = requestsOf(result) ?? summaryOf(result);
  return {
    // Without a cap all requests are sent at once.
    concurrency: isClosed ? (cap ?? requests) : null,
    requestRate: isClosed ? null : rate,
    startedAt: isoOf(result.date),
    durationMs: result.duration * 1000,
    requests,
    ok: completed,
    promptTokens: result.total_input_tokens,
    outputTokens: result.total_output_tokens,
    ...measured,
    // By its formula the first chunk counts whatever is in it: a role at a chat endpoint.
    firstEventMs: isChat ? measured.ttftMs : null,
    failures: [...new Set((result.errors ?? []).filter((error) => error !== ""))].slice(0, 5),
  };
}

type Latencies = Pick<ForeignLevel, "ttftMs" | "tpotMs" | "e2eMs" | "chunkGapMs" | "userTokS">;

/** From the lists of `--save-detailed`, in seconds; null without them. */
function requestsOf({ ttfts, itls, output_lens: lengths, errors }: Result): Latencies | null {
  if (!ttfts || !itls || !lengths) return null;
  const ok = ttfts.flatMap((ttft, at) => {
    if (ttft === null || (errors?.[at] ?? "") !== "") return [];
    const gapsMs = (itls[at] ?? []).map((gap) => gap * 1000);
    const decodeMs = gapsMs.reduce((sum, gap) => sum + gap, 0);
    const tokens = lengths[at] ?? 0;
    return [
      { ttftMs: ttft * 1000, gapsMs, decodeMs, tpotMs: tokens > 1 && decodeMs > 0 ? decodeMs / (tokens - 1) : null },
    ];
  });
  const tpots = ok.flatMap(({ tpotMs }) => (tpotMs === null ? [] : [tpotMs]));
  return {
    ttftMs: distributionOf(ok.map(({ ttftMs }) => ttftMs)),
    tpotMs: distributionOf(tpots),
    e2eMs: distributionOf(ok.map(({ ttftMs, decodeMs }) => ttftMs + decodeMs)),
    chunkGapMs: distributionOf(ok.flatMap(({ gapsMs }) => gapsMs)),
    userTokS: distributionOf(tpots.map((ms) => 1000 / ms)),
  };
}

function summaryOf(result: Result): Latencies {
  const read = (name: string): Distribution | null => {
    const value = (statistic: string) => result[`${statistic}_${name}_ms`] as number | null | undefined;
    const tails = { p90: value("p90"), p95: value("p95"), p99: value("p99") };
    return foreignDistribution({ mean: value("mean"), p50: value("median"), ...tails }, result.completed);
  };
  return { ttftMs: read("ttft"), tpotMs: read("tpot"), e2eMs: read("e2el"), chunkGapMs: read("itl"), userTokS: null };
}

function notesOn(
  { request_rate: rate, errors, completed, num_prompts: requests }: Result,
  isChat: boolean,
  isRust: boolean,
) {
  return [
    ...(isChat
      ? ["the first chunk counts as the first token, also when it holds only a role: TTFT may be early and TPOT long"]
      : []),
    ...(isChat && isRust ? ["the usage chunk moves the end of an answer: E2E and TPOT are a little long"] : []),
    ...(rate === "inf" ? [] : ["latencies count from when a request went out, not from when it was due"]),
    "an error inside a stream counts as a complete answer: the success ratio may be too good",
    ...(completed < requests && !errors ? ["how requests failed is not in the file (use --save-detailed)"] : []),
    ...(isRust ? ["connection errors are tried again up to 3 times without being reported"] : []),
  ];
}

/** "20260131-235959" is local time of an unknown zone; UTC is assumed. */
function isoOf(date: string | null | undefined): string | null {
  const parts = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/.exec(date ?? "");
  if (parts === null) return null;
  const [, year, month, day, hour, minute, second] = parts;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
}
