import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Claim, streamOfText } from "../claim.ts";
import type { BenchClient } from "./bench-client.ts";
import { missingOf } from "./vllm.ts";

interface Entry {
  readonly output?: string | null;
  readonly time_to_first_token_ms?: number | null;
  /** What others call TPOT; its own time_per_output_token_ms includes the TTFT. */
  readonly inter_token_latency_ms?: number | null;
  readonly request_latency?: number | null;
  readonly output_tokens?: number | null;
  readonly info?: {
    readonly error?: string | null;
    readonly timings?: { readonly request_start?: number; readonly targeted_start?: number };
  };
}

interface Result {
  readonly benchmarks: readonly { readonly requests: Readonly<Record<string, readonly Entry[]>> }[];
}

export function guidellm(program: string, tokenizer: string): BenchClient {
  return {
    name: "guidellm",
    missing: () => missingOf(program, tokenizer),
    command: ({ cell, port, folder }) => ({
      env: { HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1" },
      argv: [
        ...[program, "run"],
        ...[
          "--backend",
          `kind=openai_http,target=http://127.0.0.1:${port},model=${cell.model}${cell.name.startsWith("e-") ? ",timeout=5" : ""}`,
        ],
        "--profile",
        cell.ratePerS === null ? `kind=concurrent,streams=${cell.streams}` : `kind=poisson,rate=${cell.ratePerS}`,
        ...["--constraint", `kind=max_requests,count=${cell.requests}`],
        ...["--tokenizer", `kind=huggingface_auto,model=${tokenizer}`],
        ...["--data", `kind=synthetic_text,prompt_tokens=32,output_tokens=${cell.tokens}`],
        ...["--output", `kind=json,path=${join(folder, "result.json")}`, "--disable-progress"],
      ],
    }),
    async read({ folder }) {
      const result = JSON.parse(await readFile(join(folder, "result.json"), "utf8")) as Result;
      const requests = result.benchmarks[0]?.requests ?? {};
      return ["successful", "errored", "incomplete"].flatMap((set) =>
        (requests[set] ?? []).map((entry) => claimOf(entry, set)),
      );
    },
  };
}

function claimOf(entry: Entry, set: string): Claim {
  const seconds = entry.request_latency;
  return {
    stream: streamOfText(entry.output),
    scheduledNs: null,
    startNs: null,
    ttftMs: entry.time_to_first_token_ms ?? null,
    tpotMs: entry.inter_token_latency_ms ?? null,
    e2eMs: seconds === null || seconds === undefined ? null : seconds * 1000,
    gapsMs: null,
    tokens: entry.output_tokens ?? null,
    ok: set === "successful",
    detail: entry.info?.error ?? (set === "successful" ? "" : set),
  };
}
