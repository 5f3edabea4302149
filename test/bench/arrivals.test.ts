import { describe, expect, it } from "vitest";
import { arrivalsMs } from "../../src/bench/arrivals.ts";

function gaps(times: readonly number[]): number[] {
  return times.map((time, at) => time - (times[at - 1] ?? 0));
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2))) / mean;
}

describe("arrivalsMs()", () => {
  it("has exponential gaps by default", () => {
    const values = gaps(arrivalsMs({ requestsPerLevel: 20_000 }, 200, "seed")).sort((a, b) => a - b);
    expect(meanOf(values)).toBeCloseTo(5, 0);
    expect(variationOf(values)).toBeGreaterThan(0.97);
    expect(variationOf(values)).toBeLessThan(1.03);
    // Kolmogorov-Smirnov at 1 %: 1.63 / sqrt(n).
    const distance = values.map((value, at) => Math.abs(1 - Math.exp(-value / 5) - (at + 0.5) / values.length));
    expect(Math.max(...distance)).toBeLessThan(1.63 / Math.sqrt(values.length));
  });

  it.each([
    { burstiness: 0.25, variation: 2 },
    { burstiness: 1, variation: 1 },
    { burstiness: 4, variation: 0.5 },
  ])("has gamma gaps of the same mean with shape $burstiness", ({ burstiness, variation }) => {
    const shape = { requestsPerLevel: 40_000, arrivals: "gamma", burstiness } as const;
    const values = gaps(arrivalsMs(shape, 100, "seed"));
    expect(meanOf(values)).toBeGreaterThan(9.7);
    expect(meanOf(values)).toBeLessThan(10.3);
    expect(variationOf(values)).toBeGreaterThan(variation * 0.95);
    expect(variationOf(values)).toBeLessThan(variation * 1.05);
  });

  it("has equal gaps when asked for a constant rate", () => {
    expect(arrivalsMs({ requestsPerLevel: 4, arrivals: "constant" }, 10, "seed")).toEqual([100, 200, 300, 400]);
  });

  it("raises the rate linearly over the requests", () => {
    const shape = { requestsPerLevel: 3, arrivals: "constant", rampFromRate: 1 } as const;
    expect(gaps(arrivalsMs(shape, 10, "seed"))).toEqual([1000, expect.closeTo(1000 / 5.5, 9), expect.closeTo(100, 9)]);
  });

  it("raises the rate by an equal factor over the requests", () => {
    const shape = { requestsPerLevel: 3, arrivals: "constant", rampFromRate: 1, ramp: "exponential" } as const;
    const values = gaps(arrivalsMs(shape, 100, "seed"));
    expect(values).toEqual([1000, expect.closeTo(100, 9), expect.closeTo(10, 9)]);
  });

  it("ends with the duration", () => {
    const shape = { requestsPerLevel: 1000, arrivals: "constant", durationMs: 350 } as const;
    expect(arrivalsMs(shape, 10, "seed")).toEqual([100, 200, 300]);
  });

  it("depends on the seed alone", () => {
    const shape = { requestsPerLevel: 50 };
    expect(arrivalsMs(shape, 10, "a")).toEqual(arrivalsMs(shape, 10, "a"));
    expect(arrivalsMs(shape, 10, "a")).not.toEqual(arrivalsMs(shape, 10, "b"));
  });
});
