import { describe, expect, it } from "vitest";
import { parseTraceFile } from "../../src/prompts/trace-file.ts";

const ROW = '{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, 2366]}';

describe("parseTraceFile()", () => {
  it("reads Mooncake's rows, from the time of the first one", () => {
    const later = ROW.replace("27482", "30535").replace(', "hash_ids": [46, 47, 2366]', "");
    expect(parseTraceFile(`${later}\n\n${ROW}\n`, "t.jsonl", "ms")).toEqual([
      { atMs: 0, inputTokens: 6955, outputTokens: 52, blocks: [46, 47, 2366] },
      { atMs: 3053, inputTokens: 6955, outputTokens: 52, blocks: [] },
    ]);
  });

  it("takes GuideLLM's seconds when it is told", () => {
    const rows = [1.5, 2.25].map((at) => ROW.replace("27482", String(at)));
    expect(parseTraceFile(rows.join("\n"), "t.jsonl", "s").map(({ atMs }) => atMs)).toEqual([0, 750]);
  });

  it.each([
    { file: "\n", says: 'Cannot read the trace from "t.jsonl": it holds nothing, at least one entry is wanted' },
    { file: `${ROW}\n{"timestamp":`, says: 'from "t.jsonl:2": the line is not JSON' },
    { file: "1", says: 'from "t.jsonl:1": it is 1, an object is wanted' },
    { file: ROW.replace("27482", '"a"'), says: 'its "timestamp" is "a", a number from 0 is wanted' },
    { file: ROW.replace("6955", "0"), says: 'its "input_length" is 0, a whole number above 0 is wanted' },
    { file: ROW.replace("output_length", "output"), says: 'its "output_length" is missing' },
    { file: ROW.replace("2366", "1.5"), says: 'its "hash_ids" is [46,47,1.5], a list of whole numbers is wanted' },
  ])("refuses a file where $says", ({ file, says }) => {
    expect(() => parseTraceFile(file, "t.jsonl", "ms")).toThrow(
      expect.objectContaining({ code: "INPUT_INVALID", message: expect.stringContaining(says) }),
    );
  });
});
