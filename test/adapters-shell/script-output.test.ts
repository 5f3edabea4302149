import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collectOutput } from "../../src/adapters-shell/script-output.ts";
import { START_LINE } from "../../src/core/script-frame.ts";

/** Pushes a whole stream, cut at the given places, and gives what came out. */
function collect(text: string, cuts: readonly number[] = [], maxLength?: number) {
  const lines: string[] = [];
  const output = collectOutput((line) => lines.push(line), maxLength);
  const bytes = Buffer.from(text);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other), bytes.length];
  for (const [index, from] of places.slice(0, -1).entries()) output.push(bytes.subarray(from, places[index + 1]));
  output.finish();
  return { lines, text: output.text(), noise: output.noise(), started: output.hasStarted() };
}

describe("collectOutput()", () => {
  it("gives the same text and lines wherever the stream is cut", () => {
    const text = `Welcome é\n${START_LINE}\neins €\r\n\n🚀 two\nlast ü`;
    fc.assert(
      fc.property(fc.array(fc.nat(200)), (cuts) => {
        expect(collect(text, cuts)).toEqual({
          lines: ["eins €", "", "🚀 two", "last ü"],
          text: "eins €\r\n\n🚀 two\nlast ü",
          noise: "Welcome é\n",
          started: true,
        });
      }),
    );
  });

  it("gives any output back unchanged", () => {
    const any = fc.string({ unit: "grapheme" }).filter((text) => !/\p{Surrogate}/u.test(text));
    fc.assert(
      fc.property(any, fc.array(fc.nat(200)), (text, cuts) => {
        expect(collect(`${START_LINE}\n${text}`, cuts).text).toBe(text);
      }),
    );
  });

  it("calls everything noise when the script never started", () => {
    expect(collect("sudo: a password is required\n")).toEqual({
      lines: [],
      text: "",
      noise: "sudo: a password is required\n",
      started: false,
    });
  });

  it("keeps both ends of long output, says how much is missing, and still gives every line", () => {
    const numbers = Array.from({ length: 10_000 }, (_, index) => String(index).padStart(9, "0"));
    const long = collect(`${START_LINE}\n${numbers.join("\n")}\n`, [1_000, 2_000, 30_000, 60_000, 90_000], 20_000);
    expect(long.lines).toEqual(numbers);
    const [, head, left, tail] = /^(.*)\n\[(\d+) characters left out\]\n(.*)$/s.exec(long.text) ?? [];
    expect(head?.startsWith("000000000\n")).toBe(true);
    expect(tail?.endsWith("000009999\n")).toBe(true);
    expect((head?.length ?? 0) + (tail?.length ?? 0) + Number(left)).toBe(100_000);
  });
});
