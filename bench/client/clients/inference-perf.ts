import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Claim, streamOfText } from "../claim.ts";
import type { BenchClient, ClientRun } from "./bench-client.ts";
import { missingOf } from "./vllm.ts";

interface Entry {
  readonly start_time: number;
  readonly end_time: number;
  readonly response?: string | null;
  readonly error?: { readonly error_msg?: string } | null;
  readonly info?: {
    readonly response_metrics?: {
      readonly output_tokens?: number | null;
      readonly output_token_times?: readonly number[];
    } | null;
  };
}

/** Chat has no offline data but `mock` (30 tokens), so only profiles use it; the rest goes to /v1/completions. */
export function inferencePerf(program: string, tokenizer: string): BenchClient {
  return {
    name: "inference-perf",
    missing: () => missingOf(program, tokenizer),
    command: (run) => ({
      env: { HF_HUB_OFFLINE: "1", TRANSFORMERS_OFFLINE: "1" },
      argv: [program, "-c", join(run.folder, "config.yml")],
      files: { "config.yml": configOf(run, tokenizer) },
    }),
    async read({ folder }) {
      const files = await readdir(join(folder, "reports"), { recursive: true });
      const file = files.find((name) => name.endsWith("per_request_lifecycle_metrics.json"));
      if (file === undefined) throw new Error("no per-request report");
      return (JSON.parse(await readFile(join(folder, "reports", file), "utf8")) as Entry[]).map(claimOf);
    },
  };
}

function configOf({ cell, port, folder }: ClientRun, tokenizer: string): string {
  const length = (tokens: number) =>
    `{min: ${tokens}, max: ${tokens}, mean: ${tokens}, std_dev: 0, total_count: ${cell.requests}}`;
  const isProfile = cell.name.startsWith("e-");
  const load =
    cell.ratePerS === null
      ? `type: concurrent\n  stages: [{num_requests: ${cell.requests}, concurrency_level: ${cell.streams}}]`
      : `type: poisson\n  stages: [{rate: ${cell.ratePerS}, duration: ${Math.round(cell.requests / cell.ratePerS)}}]`;
  return `api: {type: ${isProfile ? "chat" : "completion"}, streaming: true}
data: ${
    isProfile
      ? "{type: mock}"
      : `{type: random, input_distribution: ${length(32)}, output_distribution: ${length(cell.tokens)}}`
  }
load:
  ${load}
  num_workers: 1
  worker_max_concurrency: 4000
  request_timeout: 5
server: {type: vllm, model_name: "${cell.model}", base_url: "http://127.0.0.1:${port}", ignore_eos: true}
tokenizer: {pretrained_model_name_or_path: ${tokenizer}}
storage: {local_storage: {path: ${join(folder, "reports")}}}
report: {request_lifecycle: {summary: true, per_stage: true, per_request: true}}
`;
}

function claimOf(entry: Entry): Claim {
  const metrics = entry.info?.response_metrics;
  const times = metrics?.output_token_times ?? [];
  const tokens = metrics?.output_tokens ?? null;
  const [first] = times;
  const last = times.at(-1);
  return {
    stream: streamOfText(textOf(entry.response)),
    scheduledNs: null,
    startNs: entry.start_time * 1e9,
    ttftMs: first === undefined ? null : (first - entry.start_time) * 1000,
    tpotMs:
      first === undefined || last === undefined || tokens === null || tokens < 2
        ? null
        : ((last - first) * 1000) / (tokens - 1),
    e2eMs: (entry.end_time - entry.start_time) * 1000,
    gapsMs: times.slice(1).map((at, index) => (at - times[index]!) * 1000),
    tokens,
    ok: entry.error === null || entry.error === undefined,
    detail: entry.error?.error_msg ?? "",
  };
}

/** The response is the raw stream: its first two texts are put together. */
function textOf(response: string | null | undefined): string {
  const texts = [...(response ?? "").matchAll(/"(?:text|content)":\s*"( w\d+)"/g)].map((match) => match[1]);
  return texts.slice(0, 2).join("");
}
