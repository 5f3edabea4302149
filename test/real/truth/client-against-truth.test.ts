import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROFILES } from "../../../bench/client/cells.ts";
import { streamOfId } from "../../../bench/client/claim.ts";
import type { TruthRequest } from "../../../bench/client/truth-log.ts";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../../src/adapters-http/http-model-stream.ts";
import { runWorkload } from "../../../src/bench/run-workload.ts";
import type { Outcome, RequestTrace } from "../../../src/measure/load-point.ts";
import { startTruthServer, type TruthServer } from "./truth-server.ts";

const TOKENS = 16;
let server: TruthServer;
const models = httpModelStream();

beforeAll(async () => {
  server = await startTruthServer({ ttftMs: 40, itlMs: 4, jitter: 0.1 });
});
afterAll(async () => {
  await models[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** How a request must be booked, by how it really ended. */
const OUTCOME: Partial<Record<TruthRequest["ending"], Outcome>> = {
  complete: "ok",
  error: "midstream_error",
  reset: "reset",
  refused: "http_5xx",
  stalled: "stall_timeout",
};

async function tracesOf(profile: string): Promise<readonly RequestTrace[]> {
  let traces: readonly RequestTrace[] = [];
  await runWorkload({
    workload: {
      name: "truth",
      endpoint: "/v1/chat/completions",
      inputTokens: 16,
      outputTokens: TOKENS,
      concurrency: [16],
      requestsPerLevel: 52,
      requestRate: null,
      repeats: 1,
      warmupWaves: 0,
      seed: 1,
      ignoreEos: profile !== "early-eos",
      temperature: 0,
      stallTimeoutMs: profile === "stall" ? 1500 : 15_000,
      totalTimeoutMs: 20_000,
    },
    baseUrl: server.baseUrl,
    model: `m@${profile}`,
    apiKey: null,
    models,
    clock: systemClock,
    signal: new AbortController().signal,
    onPoint: (_point, measured) => {
      traces = measured;
    },
  });
  return traces;
}

describe("runWorkload() against a server that knows the truth", () => {
  it.each(PROFILES)("books every request of %s as it was", async (profile) => {
    const traces = await tracesOf(profile);
    const truths = new Map((await server.log()).map((truth) => [truth.stream, truth]));
    const answered = traces.filter(({ id }) => id !== null);
    for (const trace of answered) {
      const truth = truths.get(streamOfId(trace.id) ?? -1)!;
      expect(trace).toMatchObject({ outcome: OUTCOME[truth.ending] });
      expect(trace.chunkMs).toHaveLength(truth.writeNs.length);
      if (trace.outcome !== "ok") continue;
      // Without usage a client may count for itself or not know, but not be wrong.
      const right = profile.includes("no-usage") ? [null, truth.sentTokens] : [truth.sentTokens];
      expect(right).toContain(trace.outputTokens);
      // A client cannot have read a token before it was written.
      const firstMs = trace.firstMs ?? 0;
      expect(firstMs).toBeGreaterThanOrEqual(truth.writeNs[0]! / 1e6);
      expect(trace.lastMs).toBeGreaterThanOrEqual(truth.writeNs.at(-1)! / 1e6);
    }
    // Only a request that was refused has no id.
    const refused = traces.filter(({ id }) => id === null);
    expect(refused.map(({ outcome }) => outcome)).toEqual(refused.map(() => "http_5xx"));
    expect(traces).toHaveLength(52);
  });
});
