import { describe, expect, it } from "vitest";
import type { Workload } from "../../src/config/run-config.ts";
import { savedRequestLine } from "../../src/measure/save-requests.ts";
import { toLoadPoint } from "../../src/measure/to-load-point.ts";
import { vllmResult } from "../../src/measure/vllm-result.ts";
import { measuredPoint } from "../fakes/measured-point.ts";
import { brokenTrace, requestTrace } from "../fakes/request-trace.ts";

const workload: Workload = {
  name: "w",
  endpoint: "/v1/chat/completions",
  inputTokens: 20,
  outputTokens: 5,
  concurrency: [2],
  requestsPerLevel: 3,
  requestRate: null,
  repeats: 1,
  warmupWaves: 0,
  seed: 1,
  ignoreEos: true,
  temperature: 0,
  stallTimeoutMs: 1000,
  totalTimeoutMs: 1000,
};

describe("savedRequestLine()", () => {
  it("writes one line of JSON with monotonic nanoseconds as integers", () => {
    const line = savedRequestLine(requestTrace({ sentMs: 1_234_567.000_1, ttftMs: 10.25, itlMs: 2, tokens: 3 }));
    expect(line.endsWith("}\n")).toBe(true);
    expect(line.split("\n")).toHaveLength(2);
    expect(JSON.parse(line)).toMatchObject({
      id: "cmpl-1",
      rid: "arc-1",
      sentNs: 1_234_567_000_100,
      firstNs: 1_234_577_250_100,
      lastNs: 1_234_581_250_100,
      endNs: 1_234_582_250_100,
      tokens: 3,
      outcome: "ok",
      ttftMs: expect.closeTo(10.25, 6),
      tpotMs: expect.closeTo(2, 6),
      e2eMs: expect.closeTo(14.25, 6),
      chunkNs: [1_234_577_250_100, 1_234_579_250_100, 1_234_581_250_100],
    });
  });

  it("says null for what did not happen", () => {
    const refused = brokenTrace({
      outcome: "http_5xx",
      id: null,
      firstMs: null,
      lastMs: null,
      headersMs: null,
      chunkMs: new Float64Array(),
    });
    expect(JSON.parse(savedRequestLine(refused))).toMatchObject({
      id: null,
      firstNs: null,
      lastNs: null,
      tokens: null,
      outcome: "http_5xx",
      ttftMs: null,
      tpotMs: null,
      e2eMs: null,
      chunkNs: [],
    });
  });
});

describe("vllmResult()", () => {
  const traces = [
    requestTrace({ sentMs: 0, ttftMs: 100, itlMs: 10 }),
    requestTrace({ sentMs: 0, ttftMs: 200, itlMs: 20 }),
    brokenTrace({ sentMs: 150, scheduledMs: 150 }),
  ];
  const point = toLoadPoint(workload, measuredPoint({ concurrency: 2, startedAt: "2026-01-31T23:59:58.123Z" }), traces);
  const options = { model: "m", baseUrl: "http://x", maxConcurrency: 2, label: null };
  const result = vllmResult(workload, point, traces, options);

  it("has vLLM's keys, units and formulas", () => {
    expect(result).toMatchObject({
      date: "20260131-235958",
      backend: "openai-chat",
      model_id: "m",
      num_prompts: 3,
      request_rate: "inf",
      max_concurrency: 2,
      completed: 2,
      failed: 1,
      total_input_tokens: 40,
      total_output_tokens: 10,
      max_concurrent_requests: 2,
      mean_ttft_ms: 150,
      median_ttft_ms: 150,
      std_ttft_ms: 50,
      p99_ttft_ms: expect.closeTo(199, 9),
      mean_tpot_ms: 15,
      mean_itl_ms: 15,
      mean_e2el_ms: 210,
      output_lens: [5, 5, null],
    });
    expect((result["ttfts"] as number[])[0]).toBeCloseTo(0.1, 9);
    expect((result["itls"] as number[][])[1]?.[0]).toBeCloseTo(0.02, 9);
    expect((result["errors"] as string[])[2]).toBe("reset: read ECONNRESET");
  });

  it.each([
    { shape: { requestRate: 4 }, is: { request_rate: 4, burstiness: 1 } },
    { shape: { requestRate: 4, arrivals: "constant" as const }, is: { request_rate: 4, burstiness: "inf" } },
    {
      shape: { requestRate: 4, arrivals: "gamma" as const, burstiness: 0.5 },
      is: { request_rate: 4, burstiness: 0.5 },
    },
    {
      shape: { requestRate: 4, rampFromRate: 1, ramp: "exponential" as const },
      is: {
        request_rate: "inf",
        ramp_up_strategy: "exponential",
        ramp_up_start_rps: 1,
        ramp_up_end_rps: 4,
      },
    },
  ])("says how requests were sent: $is", ({ shape, is }) => {
    const shaped = { ...workload, ...shape };
    expect(vllmResult(shaped, toLoadPoint(shaped, measuredPoint(), traces), traces, options)).toMatchObject(is);
  });

  it("is plain JSON", () => {
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });
});
