import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hostSampleReader } from "../../src/measure/host-sample.ts";

interface SampleCase {
  readonly what: string;
  readonly lines: readonly string[];
  readonly cpuMaxMhz: number | null;
  /** Without `atMs`, which is ours. */
  readonly samples: readonly object[];
}

const folder = join(import.meta.dirname, "../cases/bench/host-samples");
const cases = readdirSync(folder).map((file) => ({
  name: file.replace(/\.json$/, ""),
  data: JSON.parse(readFileSync(join(folder, file), "utf8")) as SampleCase,
}));

function read(lines: readonly string[]) {
  const reader = hostSampleReader();
  lines.forEach((line, index) => {
    reader.take(line, 1000 + index);
  });
  return reader.samples;
}

describe("hostSampleReader()", () => {
  it.each(cases)("reads $name", ({ data }) => {
    const { cpuMaxMhz, samples } = read(data.lines);
    expect(cpuMaxMhz).toBe(data.cpuMaxMhz);
    expect(samples.map(({ atMs: _, ...sample }) => sample)).toEqual(data.samples);
  });

  it.each(cases)("reads $name alike with carriage returns", ({ data }) => {
    expect(read(data.lines.map((line) => `${line}\r`)).samples).toEqual(read(data.lines).samples);
  });

  it("stamps each sample with our clock", () => {
    expect(read(["host", "sample up=1", "noise", "sample up=2"]).samples.map(({ atMs }) => atMs)).toEqual([1001, 1003]);
  });

  it("forgets what xpu-smi said when it has said nothing for long", () => {
    const reader = hostSampleReader();
    const lines = ["host gpu0=0000:03:00.0/0x56a0", 'xpu 0,"0000:03:00.0"', "xpu Timestamp, DeviceId, GPU Power (W)"];
    for (const line of [...lines, "xpu 10:00:00.000, 0, 97.50"]) reader.take(line, 0);
    reader.take("sample up=1", 9_000);
    reader.take("sample up=2", 11_000);
    expect(reader.samples.samples.map(({ gpus }) => gpus[0]?.powerW)).toEqual([97.5, null]);
  });

  it("never throws and never gives a number for a word, whatever a host prints", () => {
    const lines = cases.flatMap(({ data }) => data.lines);
    const mangled = fc
      .record({ line: fc.constantFrom(...lines), from: fc.nat(300), junk: fc.string({ unit: "binary" }) })
      .map(({ line, from, junk }) => line.slice(0, from) + junk + line.slice(from + junk.length));
    const output = fc.array(fc.oneof(mangled, fc.string({ unit: "binary" }), fc.constantFrom(...lines)));
    fc.assert(
      fc.property(output, (text) => {
        for (const sample of read(text).samples) {
          const numbers = [sample.upS, sample.load1, ...sample.cpuMhz, ...sample.gpus.map(({ joules }) => joules)];
          expect(numbers.every((value) => value === null || Number.isFinite(value))).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});
