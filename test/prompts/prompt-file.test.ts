import { describe, expect, it } from "vitest";
import { parsePromptFile } from "../../src/prompts/prompt-file.ts";
import { promptsOfFile } from "../../src/prompts/prompts.ts";

const text = (words: string) => ({ kind: "text", text: words });

describe("parsePromptFile()", () => {
  it.each([
    { name: "vLLM", file: '{"prompt":"a","output_tokens":5}', want: { content: text("a"), outputTokens: 5 } },
    { name: "vLLM without a length", file: '{"prompt":"a"}', want: { content: text("a"), outputTokens: null } },
    { name: "AIPerf", file: '{"text":"a","output_length":6}', want: { content: text("a"), outputTokens: 6 } },
    { name: "GuideLLM", file: '{"prompt":"a","output_tokens_count":7}', want: { content: text("a"), outputTokens: 7 } },
    {
      name: "fw-ai",
      file: '{"messages":[{"role":"user","content":"a"}],"max_tokens":8}',
      want: { content: { kind: "messages", messages: [{ role: "user", content: "a" }] }, outputTokens: 8 },
    },
    {
      name: "an OpenAI batch",
      file: '{"custom_id":"1","body":{"messages":[{"role":"user","content":"a"}]}}',
      want: { content: { kind: "messages", messages: [{ role: "user", content: "a" }] }, outputTokens: null },
    },
    {
      name: "ShareGPT lines",
      file: '{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}',
      want: { content: text("a"), outputTokens: null },
    },
    {
      name: "a ShareGPT list",
      file: '[{"id":"x","conversations":[{"from":"gpt","value":"b"}]},\n{"id":"y","conversations":[{"from":"human","value":"a"}]}]',
      want: { content: text("a"), outputTokens: null },
    },
  ])("reads $name", ({ file, want }) => {
    expect(parsePromptFile(`${file}\n\n`, "p.jsonl")).toEqual([want]);
  });

  it.each([
    { file: '{"prompt":"a"}\n{"prompt":', says: 'Cannot read prompts from "p.jsonl:2": the line is not JSON' },
    { file: '{"prompt":"a"}\n5', says: 'Cannot read prompts from "p.jsonl:2": it is 5, an object is wanted' },
    { file: '{"question":"a"}', says: 'Cannot read prompts from "p.jsonl:1": it has the keys question' },
    { file: '{"prompt":""}', says: 'Cannot read prompts from "p.jsonl:1": it has the keys prompt' },
    { file: '{"prompt":"a","output_tokens":0}', says: 'Cannot read prompts from "p.jsonl:1": its output length is 0' },
    { file: "\n", says: 'Cannot read prompts from "p.jsonl": it holds no prompt' },
    { file: "[1,", says: 'Cannot read prompts from "p.jsonl": it is not JSON' },
  ])("refuses $file", ({ file, says }) => {
    expect(() => parsePromptFile(file, "p.jsonl")).toThrow(
      expect.objectContaining({ code: "INPUT_INVALID", message: expect.stringContaining(says) }),
    );
  });
});

describe("promptsOfFile()", () => {
  it("measures in the order of the file, over again, and warms up from its end", () => {
    const maker = promptsOfFile(parsePromptFile('{"prompt":"a"}\n{"prompt":"b"}\n{"prompt":"c"}', "p"));
    const said = (setName: string, count: number) =>
      maker.make(setName, count).map(({ input }) => (input.kind === "text" ? input.text : input));
    expect(said("measure-4-0", 5)).toEqual(["a", "b", "c", "a", "b"]);
    expect(said("warm-up-4-0", 2)).toEqual(["c", "b"]);
  });
});
