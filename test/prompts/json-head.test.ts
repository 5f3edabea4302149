import { describe, expect, it } from "vitest";
import { jsonHead } from "../../src/prompts/json-head.ts";

async function* pieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

const LINES = '{"a":"x\\ny"}\n\n{"a":2}\n  \n{"a":3}\n';
const LIST = '\n [ {"a":"}]{[\\"}","b":[{"c":1},[2]]}, {"a":"\\\\"},\n{"a":3}\n]\n';

describe("jsonHead()", () => {
  it.each([1, 2, 3, 7, 1000])("keeps the first rows of both kinds of file, read %i letters at a time", async (size) => {
    expect(await jsonHead(pieces(LINES, size), 2)).toBe('{"a":"x\\ny"}\n\n{"a":2}');
    expect(JSON.parse(await jsonHead(pieces(LIST, size), 2))).toEqual(JSON.parse(LIST).slice(0, 2));
  });

  it.each([3, 4])("keeps a file of no more than %i rows as it is, in effect", async (limit) => {
    expect((await jsonHead(pieces(LINES, 5), limit)).trim()).toBe(LINES.trim());
    expect(JSON.parse(await jsonHead(pieces(LIST, 5), limit))).toEqual(JSON.parse(LIST));
  });

  it("reads no further than it has to", async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<string> {
      for (;;) {
        read += 1;
        yield '{"prompt":"a"}\n';
      }
    }
    expect((await jsonHead(endless(), 10)).split("\n")).toHaveLength(10);
    expect(read).toBe(10);
  });

  it("hands on what is no JSON, for the reader to complain about", async () => {
    expect(await jsonHead(pieces("[1, oops", 3), 5)).toBe("[1, oops");
    expect(await jsonHead(pieces("  ", 1), 5)).toBe("  ");
  });
});
