import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Claim, streamOfText } from "../claim.ts";
import type { BenchClient } from "./bench-client.ts";

interface VllmResult {
  readonly start_times?: readonly number[];
  readonly ttfts: readonly number[];
  readonly itls: readonly (readonly number[])[];
  readonly output_lens: readonly number[];
  readonly generated_texts: readonly string[];
  readonly errors: readonly string[];
}

/** `vllm bench serve`. Its start times are perf_counter(), which is CLOCK_MONOTONIC. */
export function vllm(program: string, tokenizer: string): BenchClient {
  return {
    name: "vllm",
    missing: () => missingOf(program, tokenizer),
    command: ({ cell, port, folder }) => ({
      env: { HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1" },
      argv: [
        ...[program, "bench", "serve", "--backend", "openai-chat", "--base-url", `http://127.0.0.1:${port}`],
        ...["--endpoint", "/v1/chat/completions", "--model", cell.model, "--tokenizer", tokenizer],
        ...["--dataset-name", "random", "--random-input-len", "32", "--random-output-len", String(cell.tokens)],
        ...["--num-prompts", String(cell.requests), "--ignore-eos", "--disable-tqdm"],
        ...(cell.ratePerS === null
          ? ["--max-concurrency", String(cell.streams)]
          : ["--request-rate", String(cell.ratePerS)]),
        ...["--save-result", "--save-detailed", "--result-dir", folder, "--result-filename", "result.json"],
        ...["--percentile-metrics", "ttft,tpot,itl,e2el"],
      ],
    }),
    async read({ folder }) {
      const result = JSON.parse(await readFile(join(folder, "result.json"), "utf8")) as VllmResult;
      return result.ttfts.map((_, at) => claimOf(result, at));
    },
  };
}

export function missingOf(program: string, tokenizer: string): string | null {
  if (!existsSync(program)) return `${program} is missing: run bench/client/peers/install.sh`;
  return existsSync(join(tokenizer, "tokenizer.json"))
    ? null
    : "the tokenizer is missing: run bench/client/peers/install.sh";
}

function claimOf(result: VllmResult, at: number): Claim {
  const ttftMs = result.ttfts[at]! * 1000;
  const gapsMs = (result.itls[at] ?? []).map((seconds) => seconds * 1000);
  const decodeMs = gapsMs.reduce((sum, gap) => sum + gap, 0);
  const tokens = result.output_lens[at] ?? null;
  const start = result.start_times?.[at];
  const error = result.errors[at] ?? "";
  return {
    stream: streamOfText(result.generated_texts[at]),
    scheduledNs: null,
    startNs: start === undefined ? null : start * 1e9,
    ttftMs,
    tpotMs: tokens !== null && tokens > 1 ? decodeMs / (tokens - 1) : null,
    e2eMs: ttftMs + decodeMs,
    gapsMs,
    tokens,
    ok: error === "",
    detail: error.slice(-200),
  };
}
