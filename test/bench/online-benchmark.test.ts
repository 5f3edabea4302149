import { describe, expect, it } from "vitest";
import { runOnlineBenchmark } from "../../src/bench/online-benchmark.ts";
import { onlineBenchmarkFigures } from "../../src/measure/online-benchmark-figures.ts";
import { summarize } from "../../src/measure/summarize.ts";
import { onlineBenchmarkReport } from "../../src/report/online-benchmark-report.ts";
import { examplePoint, exampleWorkload } from "../fakes/example-record.ts";
import { brokenTrace, requestTrace } from "../fakes/request-trace.ts";
import { VirtualClock } from "../fakes/virtual-clock.ts";
import { VirtualModel, type VirtualModelOptions } from "../fakes/virtual-model.ts";

async function run(options: VirtualModelOptions = {}) {
  using clock = new VirtualClock();
  const model = new VirtualModel(clock, options);
  const workload = exampleWorkload({ endpoint: "/v1/completions", inputTokens: 12, outputTokens: 5 });
  const result = runOnlineBenchmark({
    ...{ workload, baseUrl: "http://model", model: "m", apiKey: null, models: model, clock },
    ...{ signal: new AbortController().signal, concurrency: 3 },
  });
  return { ...(await result), model };
}

describe("runOnlineBenchmark()", () => {
  it("sends what the script sends: 2 short ones, then 2 x and 4 x the concurrency, all with the same prompt", async () => {
    const { traces, model } = await run();
    const lengths = model.seen.map(({ body }) => body["max_tokens"]);
    expect(lengths).toEqual([32, 32, ...Array.from({ length: 6 + 12 }, () => 5)]);
    expect(new Set(model.seen.map(({ body }) => JSON.stringify(body["prompt"]))).size).toBe(1);
    expect(model.seen[0]?.body).toMatchObject({ ignore_eos: true, temperature: 0, stream: true });
    expect(model.seen[0]?.body).not.toHaveProperty("cache_salt");
    expect(model.mostRunning).toBe(3);
    expect(traces).toHaveLength(12);
  });

  it("goes on when requests fail, as the script does: they are part of what was measured", async () => {
    const { traces } = await run({ fate: (arrival) => (arrival > 10 ? "refuse" : "answer") });
    expect(traces.map(({ outcome }) => outcome)).toEqual([
      ...["ok", "ok", "ok"],
      ...Array.from({ length: 9 }, () => "http_5xx"),
    ]);
  });
});

/** Three tokens in each chunk: chunks come every 30 ms, tokens every 10 ms. */
const chunky = (index: number) =>
  requestTrace({
    index,
    tokens: 16,
    chunkMs: Float64Array.from([1100, 1130, 1160, 1190, 1220, 1250]),
    lastMs: 1250,
    endMs: 1251,
  });

describe("onlineBenchmarkFigures()", () => {
  it("takes the mean gap between chunks for a time per token, which is wrong by the tokens in a chunk", () => {
    const traces = [chunky(0), chunky(1)];
    expect(onlineBenchmarkFigures(traces, 16).nextTokenMs).toEqual({ mean: 30, p90: 30, p95: 30 });
    expect(summarize(traces).tpotMs?.mean).toBe(10);
  });

  it("counts failed requests as whole answers, in throughput only", () => {
    const traces = [requestTrace({ tokens: 5 }), brokenTrace()];
    const figures = onlineBenchmarkFigures(traces, 5);
    expect(figures.requests).toBe(2);
    expect((figures.tokenThroughput ?? 0) / (summarize(traces).outputTokS ?? 0)).toBeCloseTo(2, 6);
    expect(figures.firstTokenMs?.mean).toBe(100);
  });

  it("takes the first chunk of any kind for the first token", () => {
    expect(onlineBenchmarkFigures([requestTrace({ firstEventMs: 1040 })], 5).firstTokenMs?.mean).toBe(40);
  });

  it("knows no number where nothing was answered", () => {
    expect(onlineBenchmarkFigures([brokenTrace()], 5)).toMatchObject({ firstTokenMs: null, nextTokenMs: null });
  });
});

describe("onlineBenchmarkReport()", () => {
  it("shows the script's numbers beside the right ones and says what it gets wrong here", () => {
    const traces = [chunky(0), chunky(1), brokenTrace()];
    const server = { ...NOT_CHECKED, prefixHitRatio: 0.97 };
    const text = onlineBenchmarkReport({
      ...{ script: onlineBenchmarkFigures(traces, 16), same: summarize(traces), server },
      own: examplePoint({ ttftMs: 180, tpotMs: 10 }),
    });
    expect(text).toMatch(/next token ms mean +│ +30\.00 │ +10\.00 │ +10\.10/);
    expect(text).toMatch(/next token ms p90 +│ +30\.00 │ +n\/a/);
    expect(text).toContain("a chunk holds 2.67 tokens here");
    expect(text).toContain("1 of 3 failed here");
    expect(text).toContain("97 % of the prompt tokens were cached, mean first token 100.0 ms against 181.8 ms");
  });
});

const NOT_CHECKED = {
  ...{ verdict: "not-checked" as const, checks: [], runningMean: null, runningMax: null, waitingMax: null },
  ...{ kvCacheUsageMax: null, preemptions: null, prefixHitRatio: null },
};
