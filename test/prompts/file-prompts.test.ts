import { describe, expect, it } from "vitest";
import { promptsOfFile } from "../../src/prompts/file-prompts.ts";
import { parsePromptFile } from "../../src/prompts/prompt-file.ts";
import { digestOf } from "../../src/prompts/prompts.ts";
import type { ServerTokenizer } from "../../src/prompts/server-tokenizer.ts";

/** One word is one token; null: the server has no tokenizer. */
function tokenizer(asked: string[] | null = []): ServerTokenizer {
  return {
    async ids(text) {
      asked?.push(text);
      return asked === null ? null : text.split(" ").map((_, at) => at);
    },
    chatTokens: async () => null,
    isPresent: () => asked !== null,
  };
}

const words = (count: number, word = "w") => Array.from({ length: count }, () => word).join(" ");
const conversation = (prompt: string, answer: string) =>
  JSON.stringify({
    conversations: [
      { from: "human", value: prompt },
      { from: "gpt", value: answer },
    ],
  });

function made(rows: readonly string[], wanted = {}, server = tokenizer()) {
  const options = { count: 100, outputLengths: "file" as const, ...wanted };
  return promptsOfFile(parsePromptFile(rows.join("\n"), "p.jsonl"), options, server);
}

describe("promptsOfFile()", () => {
  it("measures in the order of the file, over again, and warms up from its end", async () => {
    const maker = await made(['{"prompt":"a"}', '{"prompt":"b"}', '{"prompt":"c"}']);
    const said = (setName: string, count: number) =>
      maker.make(setName, count).map(({ input }) => (input.kind === "text" ? input.text : input));
    expect(said("measure-4-0", 5)).toEqual(["a", "b", "c", "a", "b"]);
    expect(said("warm-up-4-0", 2)).toEqual(["c", "b"]);
    expect(maker.different).toBe(3);
  });

  it("gives an answer of ShareGPT the length that the server counts, and leaves out what vLLM does", async () => {
    const rows = [
      conversation(words(3), words(50)),
      conversation(words(4), words(4)),
      conversation(words(1024), words(1024)),
      conversation(words(1025), words(50)),
      conversation(words(1000), words(1049)),
      conversation(words(20), words(3)),
    ];
    const maker = await made(rows);
    expect(maker.make("measure-1-0", 2).map(({ outputTokens }) => outputTokens)).toEqual([4, 1024]);
    expect(maker.different).toBe(2);
  });

  it("asks the tokenizer for no more conversations than are wanted", async () => {
    const asked: string[] = [];
    const rows = Array.from({ length: 200 }, () => conversation(words(10), words(10)));
    const maker = await made(rows, { count: 10 }, tokenizer(asked));
    expect(maker.different).toBeGreaterThanOrEqual(10);
    expect(asked.length).toBeLessThan(40);
  });

  it("leaves lengths to the workload without a tokenizer, and when the workload's are wanted", async () => {
    const row = conversation(words(3), words(9));
    const lengths = async (wanted: object, server: ServerTokenizer) =>
      (await made([row, '{"prompt":"a","output_tokens":7}'], wanted, server))
        .make("measure-1-0", 2)
        .map(({ outputTokens }) => outputTokens);
    expect(await lengths({}, tokenizer(null))).toEqual([null, 7]);
    expect(await lengths({ outputLengths: "workload" }, tokenizer())).toEqual([null, null]);
  });

  it("refuses a file in which no conversation has a usual length", async () => {
    await expect(made([conversation(words(3), words(9))])).rejects.toMatchObject({
      code: "INPUT_INVALID",
      message: expect.stringContaining("Cannot use the 1 conversations of the prompt file: none has a prompt of 4 to"),
    });
  });

  it("gives files another digest when a prompt or the length of an answer differs", async () => {
    const digest = async (row: string) => digestOf((await made([row])).make("measure-1-0", 1));
    const digests = await Promise.all(
      ['{"prompt":"a"}', '{"prompt":"b"}', '{"prompt":"a","output_tokens":5}', '{"text":"a"}'].map(digest),
    );
    expect(new Set(digests).size).toBe(3);
    expect(digests[3]).toBe(digests[0]);
  });
});
