import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/app-error.ts";
import { formatFailure } from "../../src/core/format-failure.ts";

describe("formatFailure()", () => {
  it("says what happened with its code, why, and what to do", () => {
    const cause = new Error("connect ECONNREFUSED");
    const error = new AppError("HOST_UNREACHABLE", {
      message: 'Cannot reach host "a"',
      hint: "Check that it is up",
      cause,
    });
    expect(formatFailure(error)).toBe(`Cannot reach host "a" [HOST_UNREACHABLE]
  because: connect ECONNREFUSED
  try: Check that it is up`);
  });

  it("puts the code of a long message on its first line", () => {
    const error = new AppError("INPUT_INVALID", {
      message: "Cannot use it: 1 problem\n  a:1:1 wrong",
      hint: "Correct it",
    });
    expect(formatFailure(error)).toBe("Cannot use it: 1 problem [INPUT_INVALID]\n  a:1:1 wrong\n  try: Correct it");
  });

  it.each([{ thrown: new TypeError("x is undefined") }, { thrown: "a text" }])(
    "calls anything else a bug, with all that is known: $thrown",
    ({ thrown }) => {
      expect(formatFailure(thrown)).toMatch(/^Internal error: [\s\S]*(x is undefined|a text)[\s\S]*try: Report this/);
    },
  );
});
