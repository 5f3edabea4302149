import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BenchClient } from "./bench-client.ts";
import { readSavedRequests } from "./saved-requests.ts";

/** The smallest clients that can be written on one of Node's ways to speak HTTP: what each way costs. */
export function prototype(name: string, nodeFlags: readonly string[] = []): BenchClient {
  const program = resolve(import.meta.dirname, `../prototypes/${name}.mjs`);
  return {
    name,
    isOneThread: true,
    missing: () => (existsSync(program) ? null : `${program} is missing`),
    command: ({ cell, port, folder }) => ({
      argv: [
        process.execPath,
        ...nodeFlags,
        program,
        JSON.stringify({
          port,
          model: cell.model,
          streams: cell.streams,
          requests: cell.requests,
          tokens: cell.tokens,
          out: join(folder, "requests.jsonl"),
        }),
      ],
    }),
    read: ({ folder }) => readSavedRequests(join(folder, "requests.jsonl")),
  };
}
