import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareFamily } from "../../src/analyse/compare.ts";
import { PAIRED } from "../../src/analyse/design.ts";
import { estimatePaired } from "../../src/analyse/estimate-paired.ts";
import { ruleOf, sample } from "../fakes/example-sample.ts";

function judgePairs(baseline: readonly number[], current: readonly number[]) {
  const match = {
    baseline: sample("output_tok_s", baseline),
    current: sample("output_tok_s", current),
    rule: ruleOf("output_tok_s"),
  };
  const [comparison] = compareFamily([match], PAIRED);
  return comparison as NonNullable<typeof comparison>;
}

const base = [437, 440, 436];
const times = (values: readonly number[], factor: number) => values.map((value) => value * factor);

describe("estimatePaired()", () => {
  it("follows the formula: moderated variance of the log ratios, prior 1.5 % with 6 degrees of freedom", () => {
    const ratios = [Math.log(0.96), Math.log(0.95), Math.log(0.955)];
    const current = base.map((value, index) => value * Math.exp(ratios[index] as number));
    const estimate = estimatePaired(sample("output_tok_s", base), sample("output_tok_s", current));
    const center = ratios.reduce((sum, ratio) => sum + ratio) / 3;
    const variance = ratios.reduce((sum, ratio) => sum + (ratio - center) ** 2, 0) / 2;
    expect(estimate.meanLog).toBeCloseTo(center, 12);
    expect(estimate.degreesOfFreedom).toBe(8);
    expect(estimate.standardError).toBeCloseTo(Math.sqrt((6 * 0.015 ** 2 + 2 * variance) / 8 / 3), 12);
  });

  it("takes the noise of a history when there is one", () => {
    const quiet = { sd: 0.005, df: 12 };
    const estimate = estimatePaired(sample("output_tok_s", base), sample("output_tok_s", base), quiet);
    expect(estimate.degreesOfFreedom).toBe(14);
    expect(estimate.standardError).toBeCloseTo(Math.sqrt((12 * 0.005 ** 2) / 14 / 3), 12);
  });

  it("does not see a drift that both runs of a pair share", () => {
    const drifting = [437, 400, 470, 380];
    expect(judgePairs(drifting, drifting)).toMatchObject({ status: "PASS", changePct: 0 });
    expect(judgePairs(drifting, times(drifting, 0.92)).status).toBe("REGRESSION");
  });

  it("adding the same to both arms in log space changes nothing", () => {
    const current = times(base, 0.97);
    expect(judgePairs(times(base, 3), times(current, 3)).changePct).toBeCloseTo(
      judgePairs(base, current).changePct as number,
      9,
    );
  });

  it("one spiked pair decides nothing, whatever its size", () => {
    const five = [437, 440, 436, 438, 439];
    const spiked = [0.8, 0.3, 0.001].map((spike) =>
      judgePairs(
        five,
        five.map((value, i) => (i === 2 ? value * spike : value)),
      ),
    );
    expect(new Set(spiked.map(({ changePct }) => changePct)).size).toBe(1);
    expect(spiked[0]?.status).not.toBe("REGRESSION");
    expect(spiked[0]?.because).toContain("1 outlying pair was pulled in");
  });

  it("shares the error rates among the looks", () => {
    expect(judgePairs(base, base).because).toBe("the 98 % interval excludes a change for the worse of 5 %; 3 pairs");
    const rule = ruleOf("output_tok_s");
    const current = sample("output_tok_s", [430, 446, 436]);
    const match = { baseline: sample("output_tok_s", base), current, rule };
    const [five] = compareFamily([match], PAIRED);
    const [once] = compareFamily([match], { ...PAIRED, looks: 1 });
    expect(five?.mdePct).toBeGreaterThan(once?.mdePct as number);
  });

  it("is a mistake of the caller to leave a run without its partner", () => {
    expect(() => judgePairs(base, [437])).toThrow("partner");
  });

  it("mirrors its verdict when the arms are swapped, and does not depend on the order of the pairs", () => {
    const ratio = fc.double({ min: -0.2, max: 0.2, noNaN: true });
    fc.assert(
      fc.property(fc.array(ratio, { minLength: 3, maxLength: 8 }), (ratios) => {
        const baseline = ratios.map((_, index) => 400 + index);
        const current = ratios.map((r, index) => (400 + index) * Math.exp(r));
        const forth = judgePairs(baseline, current);
        const back = judgePairs(current, baseline);
        const turned = judgePairs([...baseline].reverse(), [...current].reverse());
        if (forth.status === "REGRESSION") expect(back.status).toBe("IMPROVED");
        if (forth.status === "IMPROVED") expect(back.status).toBe("REGRESSION");
        expect(turned.status).toBe(forth.status);
      }),
    );
  });
});
