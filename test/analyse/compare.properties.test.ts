import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compare } from "../../src/analyse/compare.ts";
import type { Status } from "../../src/analyse/comparison.ts";
import type { MetricName } from "../../src/config/run-config.ts";
import { ruleOf, sample } from "../fakes/example-sample.ts";

const metric = fc.constantFrom<MetricName>("output_tok_s", "tpot_p50_ms", "ttft_p50_ms");
/** One to six repeats around a common level, from quiet to very noisy. */
const arm = fc
  .record({
    level: fc.double({ min: 1, max: 1e5, noNaN: true }),
    offsets: fc.array(fc.double({ min: -0.15, max: 0.15, noNaN: true }), { minLength: 1, maxLength: 6 }),
    noise: fc.constantFrom(0, 0.01, 0.1, 1),
  })
  .map(({ level, offsets, noise }) => offsets.map((offset) => level * (1 + offset * noise)));
const factor = fc.double({ min: 0.5, max: 2, noNaN: true });
/** Two arms whose levels lie within a factor of two. */
const arms = fc.tuple(arm, arm, factor).map(([before, after, ratio]) => ({
  before,
  after: after.map((value) => (value / (after[0] as number)) * (before[0] as number) * ratio),
}));

const judge = (name: MetricName, before: readonly number[], after: readonly number[], floor: number | null = null) =>
  compare(sample(name, before), sample(name, after), ruleOf(name, { floor }));

const mirrored: Partial<Record<Status, Status>> = { REGRESSION: "IMPROVED", IMPROVED: "REGRESSION" };

describe("compare() for any samples", () => {
  it("mirrors its verdict, change and interval when the arms are swapped", () => {
    fc.assert(
      fc.property(metric, arms, (name, { before, after }) => {
        const forth = judge(name, before, after);
        const back = judge(name, after, before);
        const decided = [forth.status, back.status].some((status) => status in mirrored);
        if (decided) expect(back.status).toBe(mirrored[forth.status]);
        expect(Math.log1p((back.changePct as number) / 100)).toBeCloseTo(
          -Math.log1p((forth.changePct as number) / 100),
          9,
        );
        expect(Math.log1p((back.ciLowPct as number) / 100)).toBeCloseTo(
          -Math.log1p((forth.ciHighPct as number) / 100),
          9,
        );
      }),
    );
  });

  it("does not depend on the unit: both arms and the floor times anything give the same verdict", () => {
    fc.assert(
      fc.property(metric, arms, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (name, { before, after }, unit) => {
        const times = (values: readonly number[]) => values.map((value) => value * unit);
        const floor = (before[0] as number) / 50;
        const plain = judge(name, before, after, floor);
        const converted = judge(name, times(before), times(after), floor * unit);
        // Rounding may move a value across a bound that it sits on exactly.
        if (Math.abs(edgeDistance(plain.changePct as number, name)) > 1e-6) expect(converted.status).toBe(plain.status);
        expect(converted.changePct).toBeCloseTo(plain.changePct as number, 6);
      }),
    );
  });

  it("does not depend on the order of the repeats", () => {
    fc.assert(
      fc.property(metric, arms, (name, { before, after }) => {
        const plain = judge(name, before, after);
        const turned = judge(
          name,
          [...before].reverse(),
          [...after].sort((a, b) => a - b),
        );
        expect(turned.status).toBe(plain.status);
        expect(turned.changePct).toBeCloseTo(plain.changePct as number, 9);
        expect(turned.ciLowPct).toBeCloseTo(plain.ciLowPct as number, 9);
      }),
    );
  });

  it("never gets a better verdict by getting worse", () => {
    const severity: Status[] = ["IMPROVED", "PASS", "INCONCLUSIVE", "REGRESSION"];
    fc.assert(
      fc.property(metric, arms, fc.double({ min: 1, max: 2, noNaN: true }), (name, { before, after }, by) => {
        const worsen = (values: readonly number[]) =>
          values.map((value) => (name === "output_tok_s" ? value / by : value * by));
        const plain = severity.indexOf(judge(name, before, after).status);
        const worse = severity.indexOf(judge(name, before, worsen(after)).status);
        expect(worse).toBeGreaterThanOrEqual(plain);
      }),
    );
  });

  it("never fails nor praises identical samples", () => {
    fc.assert(
      fc.property(metric, arm, (name, values) => {
        const { status, changePct } = judge(name, values, values);
        expect(["PASS", "INCONCLUSIVE"]).toContain(status);
        expect(changePct).toBeCloseTo(0, 9);
      }),
    );
  });

  it("is INVALID as soon as one value of either arm is not a positive number", () => {
    const broken = fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
    fc.assert(
      fc.property(metric, arm, arm, broken, fc.nat(6), fc.boolean(), (name, one, other, bad, at, first) => {
        const spoiled = [...one.slice(0, at), bad, ...one.slice(at)];
        const comparison = first ? judge(name, spoiled, other) : judge(name, other, spoiled);
        expect(comparison.status).toBe("INVALID");
      }),
    );
  });

  it("always shows an interval around the change and a positive detectable change", () => {
    fc.assert(
      fc.property(metric, arms, (name, { before, after }) => {
        const { changePct, ciLowPct, ciHighPct, mdePct } = judge(name, before, after);
        expect(ciLowPct).toBeLessThan(changePct as number);
        expect(ciHighPct).toBeGreaterThan(changePct as number);
        expect(mdePct).toBeGreaterThan(0);
      }),
    );
  });
});

function edgeDistance(changePct: number, name: MetricName): number {
  return Math.abs(changePct) - ruleOf(name).deltaPct;
}
