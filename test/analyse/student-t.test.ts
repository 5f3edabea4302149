import { describe, expect, it } from "vitest";
import { studentQuantile, studentUpperTail } from "../../src/analyse/student-t.ts";

describe("studentQuantile()", () => {
  // Published tables of Student's t.
  it.each([
    { p: 0.975, df: 1, t: 12.706205 },
    { p: 0.975, df: 2, t: 4.302653 },
    { p: 0.975, df: 4, t: 2.776445 },
    { p: 0.975, df: 10, t: 2.228139 },
    { p: 0.95, df: 6, t: 1.94318 },
    { p: 0.99, df: 5, t: 3.36493 },
    { p: 0.995, df: 30, t: 2.749996 },
    { p: 0.999, df: 14, t: 3.78739 },
    { p: 0.9995, df: 10, t: 4.586894 },
  ])("gives t($p, $df) = $t", ({ p, df, t }) => {
    expect(studentQuantile(p, df)).toBeCloseTo(t, 5);
    expect(studentQuantile(1 - p, df)).toBeCloseTo(-t, 5);
    expect(studentUpperTail(t, df)).toBeCloseTo(1 - p, 6);
  });

  it("takes degrees of freedom between whole numbers", () => {
    const [below, between, above] = [4, 4.5, 5].map((df) => studentQuantile(0.975, df));
    expect(between).toBeLessThan(below as number);
    expect(between).toBeGreaterThan(above as number);
  });
});

describe("studentUpperTail()", () => {
  it("is one half at zero, falls, and keeps its digits far out", () => {
    expect(studentUpperTail(0, 10)).toBeCloseTo(0.5, 7);
    expect(studentUpperTail(-3, 5)).toBeCloseTo(1 - studentUpperTail(3, 5), 7);
    // The tail of t with 10 degrees of freedom falls as t^-10.
    expect(studentUpperTail(400, 10) / studentUpperTail(40, 10)).toBeCloseTo(1e-10, 11);
    expect(studentUpperTail(400, 10)).toBeGreaterThan(0);
  });
});
