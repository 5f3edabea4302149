import { existsSync } from "node:fs";
import { join } from "node:path";
import type { BenchClient } from "./bench-client.ts";
import { readSavedRequests } from "./saved-requests.ts";

/** The floor: sink-client.c. It tells only a whole answer from a broken one, so profiles are not for it. */
export function sink(programs: string): BenchClient {
  const program = join(programs, "sink-client");
  return {
    name: "sink",
    isOneThread: true,
    missing: () => (existsSync(program) ? null : "run bench/client/build.sh"),
    command: ({ cell, port, folder }) => ({
      argv: [
        program,
        ...["--port", String(port), "--model", cell.model, "--out", join(folder, "requests.jsonl")],
        ...["--streams", String(cell.streams), "--requests", String(cell.requests), "--tokens", String(cell.tokens)],
        ...(cell.ratePerS === null ? [] : ["--rate", String(cell.ratePerS)]),
      ],
    }),
    read: ({ folder }) => readSavedRequests(join(folder, "requests.jsonl")),
  };
}
