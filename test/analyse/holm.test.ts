import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { familyAlpha, holmAdjusted } from "../../src/analyse/holm.ts";

describe("holmAdjusted()", () => {
  it("gives the adjusted values of R's p.adjust(method = 'holm')", () => {
    const adjusted = holmAdjusted([0.01, 0.04, 0.03, 0.005]);
    for (const [index, want] of [0.03, 0.06, 0.06, 0.02].entries()) expect(adjusted[index]).toBeCloseTo(want, 12);
  });

  it("leaves a single value alone and has nothing to say about none", () => {
    expect(holmAdjusted([0.2])).toEqual([0.2]);
    expect(holmAdjusted([])).toEqual([]);
  });

  it("never makes a value smaller, never larger than Bonferroni, and keeps the order", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 }), (p) => {
        const adjusted = holmAdjusted(p);
        for (const [i, value] of adjusted.entries()) {
          expect(value).toBeGreaterThanOrEqual(p[i] as number);
          expect(value).toBeLessThanOrEqual(Math.min(1, (p[i] as number) * p.length) + 1e-12);
          for (const [j, other] of adjusted.entries()) {
            if ((p[i] as number) < (p[j] as number)) expect(value).toBeLessThanOrEqual(other);
          }
        }
      }),
    );
  });

  it("familyAlpha() is 1 % for a small family and 5 % for a large one", () => {
    expect([1, 12, 13, 60].map(familyAlpha)).toEqual([0.01, 0.01, 0.05, 0.05]);
  });
});
