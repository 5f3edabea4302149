import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quotePosix } from "../../src/core/quote-posix.ts";

const shells = ["/bin/sh", "/bin/bash", "/bin/dash"].filter((path) => existsSync(path));
const word = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" })).filter(isText);

describe("quotePosix()", () => {
  it.each(shells)("gives any text back through a real %s", (shell) => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
        const script = `printf '%s\\0' ${words.map(quotePosix).join(" ")}`;
        const output = execFileSync(shell, ["-c", script], {
          encoding: "utf8",
          env: { LC_ALL: "C" },
          stdio: ["ignore", "pipe", "inherit"],
        });
        expect(output.split("\0").slice(0, -1)).toEqual(words);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ["", "''"],
    ["it's", `'it'\\''s'`],
    ["$(rm -rf /) `id` \\", "'$(rm -rf /) `id` \\'"],
  ])("quotes %j", (text, quoted) => {
    expect(quotePosix(text)).toBe(quoted);
  });
});

/** What a process can be given: no NUL, and no half of a surrogate pair, which UTF-8 cannot carry. */
function isText(text: string): boolean {
  return !/[\0\p{Surrogate}]/u.test(text);
}
