import { describe, expect, it } from "vitest";
import { formatChange, formatDuration, formatInterval, formatValue } from "../../src/report/format-value.ts";

describe("format-value", () => {
  it.each([
    [0.9949, "0.995"],
    [6.59, "6.59"],
    [15.188, "15.19"],
    [437.94, "437.9"],
    [1180.4, "1180"],
    [null, "n/a"],
    [Number.NaN, "n/a"],
  ])("formatValue(%s) is %s", (value, text) => {
    expect(formatValue(value)).toBe(text);
  });

  it.each([
    [-8.04, "-8.0"],
    [1.25, "+1.3"],
    [-0.04, "0.0"],
    [0.04, "0.0"],
    [null, "n/a"],
  ])("formatChange(%s) is %s", (pct, text) => {
    expect(formatChange(pct)).toBe(text);
  });

  it("formatInterval() needs both ends", () => {
    expect(formatInterval(-9.9, -6.06)).toBe("-9.9 to -6.1");
    expect(formatInterval(-9.9, null)).toBe("n/a");
  });

  it.each([
    [4_120, "4.1 s"],
    [59_999, "60.0 s"],
    [125_400, "2 min 05 s"],
    [3_600_000, "60 min 00 s"],
  ])("formatDuration(%s) is %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
