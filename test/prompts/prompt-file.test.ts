import { describe, expect, it } from "vitest";
import { parsePromptFile } from "../../src/prompts/prompt-file.ts";

const text = (words: string) => ({ kind: "text", text: words });

describe("parsePromptFile()", () => {
  it.each([
    {
      name: "vLLM",
      file: '{"prompt":"a","output_tokens":5}',
      want: { content: text("a"), outputTokens: 5, answer: null },
    },
    {
      name: "vLLM without a length",
      file: '{"prompt":"a"}',
      want: { content: text("a"), outputTokens: null, answer: null },
    },
    {
      name: "AIPerf",
      file: '{"text":"a","output_length":6}',
      want: { content: text("a"), outputTokens: 6, answer: null },
    },
    {
      name: "GuideLLM",
      file: '{"prompt":"a","output_tokens_count":7}',
      want: { content: text("a"), outputTokens: 7, answer: null },
    },
    {
      name: "fw-ai",
      file: '{"messages":[{"role":"user","content":"a"}],"max_tokens":8}',
      want: {
        content: { kind: "messages", messages: [{ role: "user", content: "a" }] },
        outputTokens: 8,
        answer: null,
      },
    },
    {
      name: "the first turn of AIPerf's sessions",
      file: '{"session_id":"s","turns":[{"text":"a","output_length":4},{"text":"b"}]}',
      want: { content: text("a"), outputTokens: 4, answer: null },
    },
    {
      name: "an OpenAI batch",
      file: '{"custom_id":"1","body":{"messages":[{"role":"user","content":"a"}]}}',
      want: {
        content: { kind: "messages", messages: [{ role: "user", content: "a" }] },
        outputTokens: null,
        answer: null,
      },
    },
    {
      name: "ShareGPT lines",
      file: '{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}',
      want: { content: text("a"), outputTokens: null, answer: "b" },
    },
    {
      name: "a ShareGPT list",
      file: '[{"id":"x","conversations":[{"from":"gpt","value":"b"}]},\n{"id":"y","conversations":[{"from":"human","value":"a"}]}]',
      want: { content: text("a"), outputTokens: null, answer: null },
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
    { file: "\n", says: 'Cannot read prompts from "p.jsonl": it holds nothing' },
    { file: "[1,", says: 'Cannot read prompts from "p.jsonl": it is not JSON' },
  ])("refuses $file", ({ file, says }) => {
    expect(() => parsePromptFile(file, "p.jsonl")).toThrow(
      expect.objectContaining({ code: "INPUT_INVALID", message: expect.stringContaining(says) }),
    );
  });
});
