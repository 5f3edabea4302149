import { describe, expect, it } from "vitest";
import { errorMessageOf, readOpenAiChunk } from "../../src/stream/openai-chunk.ts";
import cases from "../cases/bench/openai-chunks.json" with { type: "json" };

describe("readOpenAiChunk()", () => {
  it.each(cases)("reads: $name", ({ chunk, want }) => {
    const read = readOpenAiChunk(chunk);
    if (want === null) expect(read).toBeNull();
    else expect(read).toMatchObject(want);
  });
});

describe("errorMessageOf()", () => {
  it.each([
    { body: '{"error":{"message":"The model `nope` does not exist."}}', want: "The model `nope` does not exist." },
    { body: '{"error":"Unauthorized"}', want: "Unauthorized" },
    { body: '{"detail":"Not Found"}', want: "Not Found" },
    { body: '{"detail":[{"loc":["body"],"msg":"missing"}]}', want: '[{"loc":["body"],"msg":"missing"}]' },
    { body: "<html>", want: null },
    { body: "[]", want: null },
    { body: "{}", want: null },
  ])("finds in $body: $want", ({ body, want }) => {
    expect(errorMessageOf(body)).toBe(want);
  });
});
