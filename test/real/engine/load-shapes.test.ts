import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoadPoint } from "../../../src/measure/load-point.ts";
import { benchWith } from "../../fakes/bench-world.ts";
import { type RealVllm, startRealVllm } from "../../fakes/real-vllm.ts";

let server: RealVllm;
beforeAll(async () => {
  // The smallest block of vLLM's attention on CPU: what is shared is shared to within so many tokens.
  server = await startRealVllm(["--enable-prefix-caching", "--block-size", "32"]);
});
afterAll(() => server[Symbol.asyncDispose]());

async function measured(flags: Readonly<Record<string, string>>, files: Readonly<Record<string, string>> = {}) {
  const { json } = await benchWith(server.baseUrl, { model: server.model, ...flags }, files);
  const [point] = (json as { points: LoadPoint[] }).points;
  if (point === undefined) throw new Error("Nothing was measured");
  return point;
}

describe("load shapes on a real vLLM", () => {
  it("replay a trace whose prompts share what the server's prefix cache then finds", async () => {
    // Twelve requests of three users, whose first 192 tokens are theirs and whose last 64 are new each time.
    const rows = Array.from({ length: 12 }, (_, at) => ({
      timestamp: at * 400,
      input_length: 256,
      output_length: 4,
      hash_ids: [at % 3, 10 + (at % 3), 20 + (at % 3), 100 + at],
    }));
    const trace = rows.map((row) => JSON.stringify(row)).join("\n");
    const point = await measured({ trace: "t.jsonl", "trace-block-size": "64" }, { "t.jsonl": trace });
    expect(point.outcomes).toEqual({ ok: 12 });
    expect(point.metrics.promptTokens).toBe(12 * 256);
    expect(point.repeatedPromptRatio).toBeCloseTo((9 * 192) / (12 * 256), 9);
    expect(point.server?.prefixHitRatio).toBeCloseTo((9 * 192) / (12 * 256), 2);
  });

  it("hold sessions in which every turn begins with the one before", async () => {
    const lengths = { "random-input-len": "128", "turn-input-len": "32", "random-output-len": "24" };
    const point = await measured({
      "multi-turn": "true",
      turns: "3",
      "num-prompts": "12",
      "max-concurrency": "2",
      ...lengths,
    });
    expect(point.turns?.map(({ turn, ok }) => [turn, ok])).toEqual([1, 2, 3].map((turn) => [turn, 4]));
    expect(point.turns?.[0]?.promptTokens).toMatchObject({ min: 128, max: 128 });
    const repeated = point.repeatedPromptRatio ?? 0;
    const hits = point.server?.prefixHitRatio ?? 0;
    // A hit ends with the last whole block of 32 tokens, and one token at least is always computed.
    expect(hits).toBeLessThanOrEqual(repeated + 0.01);
    expect(hits).toBeGreaterThan(repeated - 0.2);
  });
});
