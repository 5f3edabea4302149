import { describe, expect, it } from "vitest";
import { compare, compareFamily } from "../../src/analyse/compare.ts";
import type { MetricName } from "../../src/config/run-config.ts";
import { ruleOf, sample } from "../fakes/example-sample.ts";

function judge(metric: MetricName, before: readonly number[], after: readonly number[], rule = ruleOf(metric)) {
  return compare(sample(metric, before), sample(metric, after), rule);
}

const steady = [436.1, 440.2, 437.4];
const scaled = (values: readonly number[], factor: number) => values.map((value) => value * factor);

describe("compare()", () => {
  it("calls a clear drop of throughput a regression, with change, interval and what it can detect", () => {
    const comparison = judge("output_tok_s", steady, scaled(steady, 0.92));
    expect(comparison.status).toBe("REGRESSION");
    expect(comparison.changePct).toBeCloseTo(-8, 6);
    expect(comparison.ciLowPct).toBeLessThan(-8);
    expect(comparison.ciHighPct).toBeGreaterThan(-8);
    expect(comparison.ciHighPct).toBeLessThan(0);
    expect(comparison.mdePct).toBeGreaterThan(3);
    expect(comparison.mdePct).toBeLessThan(5);
    expect(comparison.because).toMatch(/^worse by more than the 3 % that count; chance alone p /);
  });

  it.each<{ metric: MetricName; factor: number; want: string }>([
    { metric: "output_tok_s", factor: 1, want: "PASS" },
    { metric: "output_tok_s", factor: 0.99, want: "PASS" },
    { metric: "output_tok_s", factor: 0.972, want: "INCONCLUSIVE" },
    { metric: "output_tok_s", factor: 0.93, want: "REGRESSION" },
    { metric: "output_tok_s", factor: 1.08, want: "IMPROVED" },
    { metric: "tpot_p50_ms", factor: 1.08, want: "REGRESSION" },
    { metric: "tpot_p50_ms", factor: 0.92, want: "IMPROVED" },
    { metric: "tpot_p50_ms", factor: 1.001, want: "PASS" },
    { metric: "ttft_p50_ms", factor: 1.08, want: "INCONCLUSIVE" },
    { metric: "ttft_p50_ms", factor: 1.25, want: "REGRESSION" },
    { metric: "ttft_p50_ms", factor: 1.02, want: "PASS" },
  ])("$metric times $factor is $want", ({ metric, factor, want }) => {
    expect(judge(metric, steady, scaled(steady, factor)).status).toBe(want);
  });

  it("does not fail a change that is certain but smaller than delta", () => {
    const quiet = [437.9, 438, 438.1];
    const comparison = judge(
      "output_tok_s",
      quiet,
      scaled(quiet, 0.955),
      ruleOf("output_tok_s", { deltaPct: 5, budgetPct: 9 }),
    );
    expect(comparison.pWorse).toBeLessThan(0.01);
    expect(comparison.status).toBe("PASS");
  });

  it("does not fail a large relative change below the absolute floor, in either direction", () => {
    const tpot = [2.0, 2.02, 2.01];
    expect(judge("tpot_p50_ms", tpot, scaled(tpot, 1.3)).status).toBe("PASS");
    expect(judge("tpot_p50_ms", tpot, scaled(tpot, 0.7)).status).toBe("PASS");
    expect(judge("tpot_p50_ms", tpot, scaled(tpot, 1.8)).status).toBe("REGRESSION");
  });

  it("refuses to pass by a floor that makes the gate blind", () => {
    const comparison = judge("output_tok_s", steady, scaled(steady, 0.5), ruleOf("output_tok_s", { floor: 500 }));
    expect(comparison.status).toBe("INCONCLUSIVE");
    expect(comparison.because).toContain("this gate can never fail");
  });

  it("one spiked repeat decides nothing, whatever its size", () => {
    const verdicts = [0.8, 0.5, 0.1, 0.001].map((spike) => {
      const { status, changePct } = judge("output_tok_s", steady, [436.9, 439.8 * spike, 438]);
      return { status, changePct };
    });
    expect(new Set(verdicts.map((verdict) => JSON.stringify(verdict))).size).toBe(1);
    expect(verdicts[0]?.status).toBe("PASS");
    expect(judge("output_tok_s", steady, [436.9, 44, 438]).because).toContain("1 outlying repeat was pulled in");
  });

  it("falls back to the measured noise when the host is noisier than assumed", () => {
    const noisy = [380, 437, 505];
    const comparison = judge("output_tok_s", noisy, scaled(noisy, 0.92));
    expect(comparison.status).toBe("INCONCLUSIVE");
    expect(comparison.because).toContain("noisier than assumed");
    expect(comparison.mdePct).toBeGreaterThan(20);
  });

  it("says that the noise is assumed when a side has one repeat, and still finds a large drop", () => {
    const single = judge("output_tok_s", [437.9], [437.1]);
    expect(single.status).toBe("PASS");
    expect(single.because).toContain("one repeat on a side: the noise is assumed, not measured");
    expect(judge("output_tok_s", [437.9], [370]).status).toBe("REGRESSION");
    const wide = (single.ciHighPct as number) - (single.ciLowPct as number);
    const narrow = judge("output_tok_s", steady, steady);
    expect(wide).toBeGreaterThan((narrow.ciHighPct as number) - (narrow.ciLowPct as number));
  });

  it.each<{ name: string; before: number[]; after: number[]; because: string }>([
    { name: "a zero", before: steady, after: [437, 0, 438], because: "1 of 3 values of this run are zero or missing" },
    {
      name: "a missing value",
      before: steady,
      after: [437, Number.NaN, 438],
      because: "1 of 3 values of this run are zero or missing",
    },
    {
      name: "an infinity",
      before: steady,
      after: [Number.POSITIVE_INFINITY],
      because: "1 of 1 values of this run are zero or missing",
    },
    {
      name: "a negative value",
      before: steady,
      after: [-437],
      because: "1 of 1 values of this run are zero or missing",
    },
    { name: "no value", before: steady, after: [], because: "this run has no value" },
    {
      name: "a broken baseline",
      before: [0, 437, 437],
      after: steady,
      because: "1 of 3 values of the baseline are zero or missing",
    },
  ])("is INVALID for $name", ({ before, after, because }) => {
    expect(judge("output_tok_s", before, after)).toMatchObject({
      status: "INVALID",
      because,
      changePct: null,
      mdePct: null,
    });
  });
});

describe("compareFamily()", () => {
  it("asks for stronger evidence when more is compared", () => {
    const match = {
      baseline: sample("output_tok_s", steady),
      current: sample("output_tok_s", scaled(steady, 0.957)),
      rule: ruleOf("output_tok_s"),
    };
    const quiet = { ...match, current: match.baseline };
    expect(compareFamily([match])[0]?.status).toBe("REGRESSION");
    const among = compareFamily([match, ...Array.from({ length: 11 }, () => quiet)]);
    expect(among[0]?.status).toBe("INCONCLUSIVE");
    expect(among[0]?.mdePct).toBeGreaterThan(compareFamily([match])[0]?.mdePct as number);
  });

  it("says that a load point has no baseline, without disturbing the others", () => {
    const current = sample("output_tok_s", steady);
    const [alone, other] = compareFamily([
      { baseline: null, current, rule: ruleOf("output_tok_s") },
      { baseline: current, current, rule: ruleOf("output_tok_s") },
    ]);
    expect(alone).toMatchObject({
      status: "CALIBRATING",
      baseline: null,
      because: "the baseline has no such load point",
    });
    expect(other?.status).toBe("PASS");
  });
});
