import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BenchClient } from "./bench-client.ts";
import { readSavedRequests } from "./saved-requests.ts";

/** `arc-vllm bench` as users run it: the built bundle. `nodeFlags` are for profiling. */
export function ours(cli: string, nodeFlags: readonly string[] = []): BenchClient {
  return {
    name: "ours",
    isOneThread: true,
    missing: () => (existsSync(cli) ? null : `${cli} is missing: run npm run build`),
    command: ({ cell, port, folder }) => ({
      argv: [
        process.execPath,
        ...nodeFlags,
        ...[cli, "bench", "--base-url", `http://127.0.0.1:${port}`, "--backend", "openai-chat", "--model", cell.model],
        ...["--num-prompts", String(cell.requests), "--random-input-len", "32"],
        ...["--random-output-len", String(cell.tokens), "--num-warmups", "0", "--stall-timeout", "5"],
        // It would be measured with the rest.
        ...["--certificate-seconds", "0"],
        ...(cell.model.includes("early-eos") ? [] : ["--ignore-eos"]),
        ...(cell.ratePerS === null
          ? ["--max-concurrency", String(cell.streams)]
          : ["--request-rate", String(cell.ratePerS)]),
        ...["--save-requests", join(folder, "requests.jsonl")],
      ],
    }),
    read: ({ folder }) => readSavedRequests(join(folder, "requests.jsonl")),
  };
}
