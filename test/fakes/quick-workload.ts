import type { Workload } from "../../src/config/run-config.ts";
import { exampleWorkload } from "./example-record.ts";

/** A closed loop of a few short answers, with no warm-up and little patience; a test names what it is about. */
export function quickWorkload(changed: Partial<Workload> = {}): Workload {
  const short = { inputTokens: 12, outputTokens: 5, concurrency: [2], requestsPerLevel: 6, repeats: 1, warmupWaves: 0 };
  const patience = { stallTimeoutMs: 1000, totalTimeoutMs: 5000 };
  return exampleWorkload({ name: "chat-128-16", endpoint: "/v1/completions", ...short, ...patience, ...changed });
}
