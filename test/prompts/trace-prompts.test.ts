import { describe, expect, it } from "vitest";
import type { ServerTokenizer } from "../../src/prompts/server-tokenizer.ts";
import type { TraceRow } from "../../src/prompts/trace-file.ts";
import { promptsOfTrace, repeatedShare } from "../../src/prompts/trace-prompts.ts";

/** One word is one token, and the template of a chat adds seven. */
const tokenizer: ServerTokenizer = {
  ids: async (text) =>
    text
      .trim()
      .split(" ")
      .map((_, at) => 500 + at),
  chatTokens: async (text) => text.split(" ").length + 7,
  isPresent: () => true,
};

const row = (inputTokens: number, ...blocks: number[]): TraceRow => ({ atMs: 0, inputTokens, outputTokens: 3, blocks });
const ROWS = [row(10, 1, 2, 3), row(12, 1, 2, 4), row(7), row(7)];

async function prompts(
  setName = "measure-1-0",
  endpoint: "/v1/completions" | "/v1/chat/completions" = "/v1/completions",
) {
  const maker = await promptsOfTrace(ROWS, { endpoint, seed: 1, blockTokens: 4 }, tokenizer);
  return { maker, inputs: maker.make(setName, ROWS.length).map(({ input }) => input) };
}

/** How many entries two lists have in common at their start. */
function common(a: readonly unknown[], b: readonly unknown[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? a.length : at;
}

describe("promptsOfTrace()", () => {
  it("makes prompts of the exact length that share exactly the blocks they shared", async () => {
    const ids = (await prompts()).inputs.map((input) => (input.kind === "ids" ? input.ids : []));
    expect(ids.map(({ length }) => length)).toEqual([10, 12, 7, 7]);
    expect(common(ids[0] ?? [], ids[1] ?? [])).toBe(8);
    expect(common(ids[2] ?? [], ids[3] ?? [])).toBeLessThan(3);
  });

  it("makes the same prompts again for one set, and others for another", async () => {
    const first = await prompts();
    expect((await prompts()).inputs).toEqual(first.inputs);
    const other = await prompts("measure-1-1");
    expect(other.inputs).not.toEqual(first.inputs);
    expect(other.maker.digest?.("measure-1-1", 4)).not.toBe(first.maker.digest?.("measure-1-0", 4));
  });

  it("fits the text of a chat, template included", async () => {
    const { inputs } = await prompts("measure-1-0", "/v1/chat/completions");
    const words = inputs.map((input) => (input.kind === "text" ? input.text.split(" ") : []));
    expect(words.map(({ length }) => length)).toEqual([3, 5, 1, 1]);
  });
});

describe("repeatedShare()", () => {
  it("counts blocks only as far as a prefix is shared from the start", () => {
    expect(repeatedShare(ROWS, 4)).toBeCloseTo(8 / 36, 9);
    expect(repeatedShare([row(8, 1, 2), row(8, 3, 2)], 4)).toBe(0);
    expect(repeatedShare([row(6, 1, 2), row(6, 1, 2)], 4)).toBe(0.5);
    expect(repeatedShare([], 4)).toBe(0);
  });
});
