import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanText } from "../../src/probe/clean-text.ts";
import type { FactReader, Reading } from "../../src/probe/fact-reader.ts";
import { FACT_READERS } from "../../src/probe/probe-host.ts";

interface FactCase {
  readonly command: string;
  readonly output: string;
  readonly exitCode?: number;
  readonly fact: unknown;
  readonly warnings?: readonly string[];
}

const root = join(import.meta.dirname, "../cases/probe");
const readers: readonly FactReader<unknown>[] = FACT_READERS;

function casesOf(fact: string): { name: string; data: FactCase }[] {
  return readdirSync(join(root, fact)).map((file) => ({
    name: file.replace(/\.json$/, ""),
    data: JSON.parse(readFileSync(join(root, fact, file), "utf8")) as FactCase,
  }));
}

function parse(reader: FactReader<unknown>, data: FactCase, output = data.output): Reading<unknown> {
  return reader.parse({ text: cleanText(output), exitCode: data.exitCode ?? 0 });
}

/** As the record keeps it: JSON has no bigint. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, part) => (typeof part === "bigint" ? String(part) : part)));
}

const table = readers.flatMap((reader) => casesOf(reader.name).map(({ name, data }) => ({ reader, name, data })));

describe("fact readers", () => {
  it("have cases for every fact", () => {
    expect(readdirSync(root).sort()).toEqual(readers.map(({ name }) => name).sort());
  });

  it.each(table)("$reader.name reads $name", ({ reader, data }) => {
    const reading = parse(reader, data);
    expect(asJson(reading.value)).toEqual(data.fact);
    if (data.warnings !== undefined) expect(reading.warnings).toEqual(data.warnings);
  });

  it.each(table)("$reader.name reads $name alike with colours, CRLF and spaces at the end", ({ reader, data }) => {
    const dressed = data.output.replaceAll("\n", " \u001b[0m\r\n");
    expect(asJson(parse(reader, data, dressed).value)).toEqual(data.fact);
  });

  it.each(table)("$reader.name says so when lines are missing in $name, and never throws", ({ reader, data }) => {
    const lines = data.output.split("\n");
    fc.assert(
      fc.property(fc.subarray(lines), fc.boolean(), (left, hasTabs) => {
        const text = left.join("\n").replaceAll("  ", hasTabs ? "\t" : "  ");
        const { value, warnings, evidence } = parse(reader, data, text);
        // Null is a fact only together with what it was read from; else it is a gap, of which people are told.
        if (value === null) expect([...warnings, evidence].filter(Boolean)).not.toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it.each(readers.map((reader) => ({ reader })))("$reader.name never throws on mangled output", ({ reader }) => {
    const outputs = casesOf(reader.name).map(({ data }) => data.output);
    const mangled = fc
      .record({
        text: fc.constantFrom(...outputs),
        from: fc.nat(400),
        cut: fc.nat(60),
        junk: fc.string({ unit: "binary" }),
      })
      .map(({ text, from, cut, junk }) => text.slice(0, from) + junk + text.slice(from + cut));
    const sections = fc.record({
      text: fc.oneof(mangled, fc.string({ unit: "binary" })),
      exitCode: fc.option(fc.nat(255)),
    });
    fc.assert(
      fc.property(sections, ({ text, exitCode }) => {
        const reading = reader.parse({ text: cleanText(text), exitCode });
        expect(reading.warnings.every((warning) => warning.length > 0)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
