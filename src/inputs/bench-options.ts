import { z } from "zod";
import { ENDPOINTS } from "../config/endpoint-api.ts";
import { burstiness, decimal, fixedLength, goodput, levels, rate, seconds, url } from "./bench-fields.ts";
import { CERTIFICATE_SECONDS, CERTIFICATE_SECONDS_ABOUT, certificateSeconds } from "./certificate-seconds.ts";
import { flagText, integerText, line, type OptionTable, type OptionValues, option } from "./option-table.ts";

const flag = { group: "Bench", placeholder: null, sources: ["cli"] } as const;
const value = { group: "Bench", sources: ["cli"] } as const;

/** Flags of `arc-vllm bench`: names and defaults of `vllm bench serve`, and a few of our own. */
export const BENCH_FLAGS = {
  "base-url": option(url(), {
    ...value,
    placeholder: "url",
    description: "URL of the server.",
    defaultText: "http://127.0.0.1:8000",
  }),
  backend: option(z.enum(["vllm", "openai", "openai-chat"]), {
    ...value,
    placeholder: "name",
    description: "`openai-chat` sends to /v1/chat/completions unless --endpoint says otherwise.",
    defaultText: "openai",
  }),
  endpoint: option(z.enum(ENDPOINTS), {
    ...value,
    placeholder: "path",
    description: "Where requests go. /api/chat/completions is Open WebUI's.",
    defaultText: "/v1/completions",
  }),
  model: option(line(), { ...value, placeholder: "name", description: "Name of the model in requests. Required." }),
  "dataset-name": option(z.enum(["random", "custom", "sharegpt"]), {
    ...value,
    placeholder: "name",
    description:
      "`random` makes prompts of an exact length; `custom` and `sharegpt` take those of --dataset-path, whose dialect is found by its keys.",
    defaultText: "random",
  }),
  "dataset-path": option(line(), {
    ...value,
    placeholder: "file",
    description: "JSONL of vLLM, AIPerf, GuideLLM, fw-ai or an OpenAI batch, or ShareGPT as JSON or JSONL.",
  }),
  "custom-output-len": option(fixedLength(), {
    ...value,
    placeholder: "n",
    description: "Tokens of each answer, whatever the file says; -1 or nothing: as the file says, else 256.",
  }),
  "sharegpt-output-len": option(fixedLength(), {
    ...value,
    placeholder: "n",
    description: "Tokens of each answer. Without it: as many as the answer in the file has.",
  }),
  "num-prompts": option(integerText(1, 1_000_000), {
    ...value,
    placeholder: "n",
    description: "Requests of each level.",
    defaultText: "1000",
  }),
  "max-concurrency": option(levels(), {
    ...value,
    placeholder: "n[,n…]",
    description:
      "Requests in flight; a list is measured one level after the other. With --request-rate: at most so many. Without it: all at once.",
  }),
  "request-rate": option(rate(), {
    ...value,
    placeholder: "n|inf",
    description: "Requests per second with Poisson arrivals.",
    defaultText: "inf",
  }),
  "ramp-up-strategy": option(z.enum(["linear", "exponential"]), {
    ...value,
    placeholder: "name",
    description: "Let the rate rise over the requests instead of --request-rate.",
  }),
  "ramp-up-start-rps": option(decimal(0.001, 100_000), {
    ...value,
    placeholder: "n",
    description: "Rate at the first request.",
  }),
  "ramp-up-end-rps": option(decimal(0.001, 100_000), {
    ...value,
    placeholder: "n",
    description: "Rate at the last request.",
  }),
  trace: option(line(), {
    ...value,
    placeholder: "file",
    description:
      "Replay a trace in Mooncake's format (timestamp, input_length, output_length, hash_ids): when requests come, how long they are, which prefixes they share. With --num-prompts: its first so many requests.",
  }),
  "trace-speed": option(decimal(0.001, 1000), {
    ...value,
    placeholder: "n",
    description: "2 replays in half the time.",
    defaultText: "1",
  }),
  "trace-block-size": option(integerText(1, 65_536), {
    ...value,
    placeholder: "n",
    description: "Tokens for which one of hash_ids stands.",
    defaultText: "512",
  }),
  "trace-unit": option(z.enum(["ms", "s"]), {
    ...value,
    placeholder: "unit",
    description: "Unit of the timestamps.",
    defaultText: "ms",
  }),
  "multi-turn": option(flagText(), {
    ...flag,
    description:
      "Hold conversations: each turn is sent with all that was said and answered before. --max-concurrency sessions at the same time, until --num-prompts turns; sends to /v1/chat/completions.",
    defaultText: "false",
  }),
  turns: option(integerText(1, 1000), {
    ...value,
    placeholder: "n",
    description: "Turns of each session. Without it: 4, or as many as the conversation in the file has.",
  }),
  "turn-input-len": option(integerText(1, 1_000_000), {
    ...value,
    placeholder: "n",
    description: "Tokens that each turn after the first adds. Without it: as many as the first has.",
  }),
  "think-time": option(seconds(0, 3600), {
    ...value,
    placeholder: "seconds",
    description: "Pause before each turn after the first, where the file does not say one.",
  }),
  burstiness: option(burstiness(), {
    ...value,
    placeholder: "n|inf",
    description: "Shape of the gaps at --request-rate: 1 is Poisson, below it bursts, `inf` is constant.",
    defaultText: "1",
  }),
  sweep: option(z.enum(["concurrency", "rate"]), {
    ...value,
    placeholder: "what",
    description:
      "Look for the highest concurrency or rate that the server holds (and that keeps --goodput): doubles it until it does not, then looks in between. Without --num-prompts: 64 requests of each level, or more until it settles.",
  }),
  "sweep-from": option(decimal(0.001, 100_000), {
    ...value,
    placeholder: "n",
    description: "First level of --sweep.",
    defaultText: "1",
  }),
  "sweep-to": option(decimal(0.001, 100_000), {
    ...value,
    placeholder: "n",
    description: "Highest level of --sweep.",
    defaultText: "256",
  }),
  "sweep-good-pct": option(decimal(1, 100), {
    ...value,
    placeholder: "n",
    description: "Percent of the requests that have to keep --goodput.",
    defaultText: "90",
  }),
  goodput: option(goodput(), {
    ...value,
    placeholder: "name:ms[,name:ms…]",
    description: "Limits of a good answer in ms: ttft, tpot and e2el, such as ttft:500,tpot:50.",
  }),
  "random-input-len": option(integerText(1, 1_000_000), {
    ...value,
    placeholder: "n",
    description: "Tokens of each prompt.",
    defaultText: "1024",
  }),
  "random-range-ratio": option(decimal(0, 0.99), {
    ...value,
    placeholder: "n",
    description: "Let lengths of prompts and answers differ by up to this share, evenly.",
    defaultText: "0",
  }),
  "random-prefix-len": option(integerText(0, 1_000_000), {
    ...value,
    placeholder: "n",
    description: "Tokens before them that are the same in all prompts, for servers with a prefix cache.",
    defaultText: "0",
  }),
  "random-output-len": option(integerText(1, 1_000_000), {
    ...value,
    placeholder: "n",
    description: "Tokens of each answer.",
    defaultText: "128",
  }),
  "ignore-eos": option(flagText(), {
    ...flag,
    description: "Let every answer run to its full length.",
    defaultText: "false",
  }),
  temperature: option(decimal(0, 2), {
    ...value,
    placeholder: "n",
    description: "Sampling temperature.",
    defaultText: "0",
  }),
  seed: option(integerText(0, 2_147_483_647), {
    ...value,
    placeholder: "n",
    description: "Seed of the prompts.",
    defaultText: "0",
  }),
  "num-warmups": option(integerText(0, 1_000_000), {
    ...value,
    placeholder: "n",
    description:
      "Requests before each level is measured, with other prompts, in whole waves. Without it: 2 waves of --max-concurrency.",
  }),
  repeats: option(integerText(1, 100), {
    ...value,
    placeholder: "n",
    description: "How often each level is measured.",
    defaultText: "1",
  }),
  "stall-timeout": option(seconds(0.1, 3600), {
    ...value,
    placeholder: "seconds",
    description: "A stream silent for this long has failed.",
    defaultText: "60",
  }),
  "total-timeout": option(seconds(1, 86_400), {
    ...value,
    placeholder: "seconds",
    description: "A request that takes longer has failed.",
    defaultText: "600",
  }),
  "api-key-env": option(line(), {
    ...value,
    placeholder: "variable",
    description: "Environment variable with the API key. Without it: ARC_VLLM_API_KEY, if set.",
  }),
  "certificate-seconds": option(certificateSeconds(), {
    ...value,
    placeholder: "seconds",
    description: CERTIFICATE_SECONDS_ABOUT,
    defaultText: String(CERTIFICATE_SECONDS),
  }),
  "online-benchmark": option(flagText(), {
    ...flag,
    description:
      "Measure as ipex-llm's vllm_online_benchmark.py does (one prompt, 2 x --max-concurrency requests to warm up, 4 x to measure) and show what it would print beside the right numbers.",
    defaultText: "false",
  }),
  "ca-file": option(line(), {
    ...value,
    placeholder: "file",
    description:
      "PEM file with the certificates to trust for https, such as that of your own CA, instead of the public ones.",
  }),
  "save-result": option(flagText(), {
    ...flag,
    description: "Write the result as JSON with the keys of vllm bench serve.",
    defaultText: "false",
  }),
  "result-dir": option(line(), {
    ...value,
    placeholder: "folder",
    description: "Folder of the result.",
    defaultText: ".",
  }),
  "result-filename": option(line(), {
    ...value,
    placeholder: "name",
    description: "File name of the result. Without it: named after rate, concurrency and model.",
  }),
  "save-requests": option(line(), {
    ...value,
    placeholder: "file",
    description: "Write one JSON line for each request.",
  }),
} as const satisfies OptionTable;

/** The flags as values. */
export type BenchFlags = OptionValues<typeof BENCH_FLAGS>;
/** The flags as they were given; what was not given is absent. */
export type Texts = Readonly<Record<string, string | undefined>>;
