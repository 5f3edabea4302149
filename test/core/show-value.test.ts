import { describe, expect, it } from "vitest";
import { showValue } from "../../src/core/show-value.ts";

describe("showValue()", () => {
  it.each([
    { value: "plain", shown: '"plain"' },
    { value: 3, shown: "3" },
    { value: undefined, shown: "nothing" },
    { value: null, shown: "null" },
    { value: "two\nlines", shown: '"two\\nlines"' },
    { value: "\u001b[31m", shown: '"\\u001b[31m"' },
    { value: "a\u202eb", shown: '"a\\u202eb"' },
    { value: { token: "hf_abcdefghijklmnopqrstuvwxyz" }, shown: '{"token":"…"}' },
  ])("shows $value as $shown", ({ value, shown }) => {
    expect(showValue(value)).toBe(shown);
  });

  it("cuts long values", () => {
    expect(showValue("x".repeat(1000), 10)).toBe('"xxxxxxxxx…');
  });
});
