import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Claim } from "../claim.ts";
import type { BenchClient } from "./bench-client.ts";
import { missingOf } from "./vllm.ts";

interface Metric {
  readonly value: number | readonly number[];
}

interface Entry {
  readonly metadata: {
    readonly x_request_id?: string;
    readonly request_start_ns: number;
    readonly credit_issued_ns?: number;
    readonly benchmark_phase?: string;
  };
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly error?: { readonly message?: string } | null;
}

/** Its stamps are wall clock; they are moved to the monotonic clock by the difference at the time of reading. */
export function aiperf(program: string, tokenizer: string): BenchClient {
  return {
    name: "aiperf",
    missing: () => missingOf(program, tokenizer),
    command: ({ cell, port, folder }) => ({
      argv: [
        ...[program, "profile", "-m", cell.model, "-u", `http://127.0.0.1:${port}`, "--endpoint-type", "chat"],
        ...["--streaming", "--tokenizer", tokenizer, "--request-count", String(cell.requests)],
        ...["--isl", "32", "--osl", String(cell.tokens), "--extra-inputs", "ignore_eos:true"],
        ...["--artifact-dir", join(folder, "artifacts"), "--ui", "none", "--no-gpu-telemetry", "--no-server-metrics"],
        ...["--request-timeout-seconds", cell.name.startsWith("e-") ? "5" : "120"],
        ...(cell.ratePerS === null
          ? ["--concurrency", String(cell.streams)]
          : ["--request-rate", String(cell.ratePerS), "--arrival-pattern", "poisson"]),
      ],
    }),
    async read({ folder }) {
      const text = await readFile(join(folder, "artifacts", "profile_export.jsonl"), "utf8");
      const wallToMonotonicNs = Number(process.hrtime.bigint()) - Date.now() * 1e6;
      const lines = text.split("\n").filter((line) => line !== "");
      return lines.map((line) => claimOf(JSON.parse(line) as Entry, wallToMonotonicNs));
    },
  };
}

function claimOf({ metadata, metrics, error }: Entry, wallToMonotonicNs: number): Claim {
  const number = (name: string) => {
    const value = metrics[name]?.value;
    return typeof value === "number" ? value : null;
  };
  const gaps = metrics["inter_chunk_latency"]?.value;
  const due = metadata.credit_issued_ns;
  return {
    stream: null,
    ...(metadata.x_request_id === undefined ? {} : { rid: metadata.x_request_id }),
    scheduledNs: due === undefined ? null : due + wallToMonotonicNs,
    startNs: metadata.request_start_ns + wallToMonotonicNs,
    ttftMs: number("time_to_first_token"),
    tpotMs: number("inter_token_latency"),
    e2eMs: number("request_latency"),
    gapsMs: Array.isArray(gaps) ? gaps : null,
    tokens: number("output_sequence_length"),
    ok: error === null || error === undefined,
    detail: error?.message ?? "",
  };
}
