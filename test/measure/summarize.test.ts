import { describe, expect, it } from "vitest";
import { distributionOf, quantileOf } from "../../src/measure/distribution.ts";
import { durationMsOf, summarize } from "../../src/measure/summarize.ts";
import { brokenTrace, requestTrace } from "../fakes/request-trace.ts";

describe("summarize()", () => {
  it("gives the known answer for two requests side by side", () => {
    const metrics = summarize([
      requestTrace({ sentMs: 0, ttftMs: 100, itlMs: 10, tokens: 11 }),
      requestTrace({ sentMs: 0, ttftMs: 200, itlMs: 20, tokens: 11, endMs: 500 }),
    ]);
    expect(metrics).toMatchObject({
      outputTokS: 22 / 0.5,
      totalTokS: 62 / 0.5,
      requestS: 2 / 0.5,
      successRatio: 1,
      promptTokens: 40,
      outputTokens: 22,
      tokensPerChunk: 1,
      ttftMs: { n: 2, mean: 150, p50: 150, min: 100, max: 200 },
      tpotMs: { n: 2, mean: 15, p50: 15 },
      e2eMs: { n: 2, min: 200, max: 400 },
      chunkGapMs: { n: 20, p50: 15 },
      userTokS: { n: 2, min: 50, max: 100 },
    });
  });

  it("divides by tokens, not by chunks, when several tokens share a chunk", () => {
    const metrics = summarize([requestTrace({ tokens: 4, itlMs: 30, outputTokens: 10 })]);
    expect(metrics.tpotMs?.p50).toBe(90 / 9);
    expect(metrics.tokensPerChunk).toBe(2.5);
    expect(metrics.chunkGapMs?.p50).toBe(30);
    expect(metrics.itlMs).toBeNull();
  });

  it("weights gaps by tokens when the server counts each chunk", () => {
    const trace = requestTrace({
      tokens: 3,
      outputTokens: 6,
      chunkTokens: [1, 4, 1],
      chunkMs: Float64Array.of(100, 140, 150),
    });
    const { itlMs } = summarize([trace]);
    expect(itlMs).toMatchObject({ n: 5, mean: 10, min: 10, max: 10 });
  });

  it("leaves failed requests out of the latencies and keeps them in every denominator", () => {
    const metrics = summarize([requestTrace({ sentMs: 0 }), brokenTrace({ sentMs: 0, scheduledMs: 0, endMs: 1000 })]);
    expect(metrics).toMatchObject({ successRatio: 0.5, outputTokens: 5, outputTokS: 5, requestS: 1 });
    expect(metrics.ttftMs?.n).toBe(1);
    expect(metrics.chunkGapMs?.n).toBe(4);
  });

  it("says null, never 0, when nothing succeeded", () => {
    expect(summarize([brokenTrace()])).toMatchObject({
      outputTokS: null,
      totalTokS: null,
      requestS: null,
      successRatio: 0,
      promptTokens: null,
      outputTokens: null,
      ttftMs: null,
      tpotMs: null,
      e2eMs: null,
      chunkGapMs: null,
      userTokS: null,
    });
    expect(summarize([])).toMatchObject({ outputTokS: null, successRatio: 0, ttftMs: null });
  });

  it("does not make a total out of part of the counts", () => {
    const metrics = summarize([requestTrace(), requestTrace({ outputTokens: null })]);
    expect(metrics).toMatchObject({ outputTokens: null, outputTokS: null, tokensPerChunk: null });
    expect(metrics.tpotMs?.n).toBe(1);
    expect(metrics.ttftMs?.n).toBe(2);
  });

  it.each([
    { name: "one token", trace: requestTrace({ tokens: 1 }) },
    { name: "all tokens in one chunk", trace: requestTrace({ tokens: 1, outputTokens: 8 }) },
    { name: "no token at all", trace: requestTrace({ tokens: 0, outputTokens: 1, finishReason: "stop" }) },
  ])("knows no TPOT of an answer with $name", ({ trace }) => {
    expect(summarize([trace]).tpotMs).toBeNull();
  });

  it("counts from the scheduled time, so that waiting for a late client is part of the latency", () => {
    const late = requestTrace({ scheduledMs: 1000, sentMs: 1030, ttftMs: 100 });
    const metrics = summarize([late]);
    expect(metrics.ttftMs?.p50).toBe(130);
    expect(metrics.latenessMs?.p50).toBe(30);
    expect(durationMsOf([late])).toBe(late.endMs - 1000);
  });

  it("keeps E2E = TTFT + TPOT x (n - 1)", () => {
    const { ttftMs, tpotMs, e2eMs } = summarize([requestTrace({ ttftMs: 123, itlMs: 17, tokens: 9 })]);
    expect((ttftMs?.p50 ?? 0) + (tpotMs?.p50 ?? 0) * 8).toBeCloseTo(e2eMs?.p50 ?? 0, 9);
  });

  it("tells reasoning from what the user sees, and client-side batching", () => {
    const trace = requestTrace({ firstVisibleMs: 1400, coalesced: 2 });
    const metrics = summarize([trace]);
    expect(metrics.visibleTtftMs?.p50).toBe(400);
    expect(metrics.coalescedRatio).toBe(0.4);
  });
});

describe("distributionOf()", () => {
  it("interpolates linearly between order statistics, as numpy does", () => {
    // numpy.percentile([4, 1, 3, 2, 10], [50, 90]) is [3, 7.6].
    expect(quantileOf([4, 1, 3, 2, 10], 0.5)).toBe(3);
    expect(quantileOf([4, 1, 3, 2, 10], 0.9)).toBeCloseTo(7.6, 12);
    expect(quantileOf([1, 2], 0.25)).toBe(1.25);
  });

  it.each([
    { n: 63, shown: [] },
    { n: 64, shown: ["p90"] },
    { n: 130, shown: ["p90", "p95"] },
    { n: 662, shown: ["p90", "p95", "p99"] },
  ])("shows with $n values the tails $shown", ({ n, shown }) => {
    const { p90, p95, p99 } = distributionOf(Array.from({ length: n }, (_, at) => at)) ?? {};
    expect(Object.entries({ p90, p95, p99 }).flatMap(([name, value]) => (value === null ? [] : [name]))).toEqual(shown);
  });

  it("sorts by number and leaves its input alone", () => {
    const values = [100, 9, 20];
    expect(distributionOf(values)).toMatchObject({ n: 3, min: 9, p50: 20, max: 100, mean: 43 });
    expect(values).toEqual([100, 9, 20]);
    expect(distributionOf([])).toBeNull();
  });
});
