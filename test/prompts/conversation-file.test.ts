import { describe, expect, it } from "vitest";
import { parseConversationFile } from "../../src/prompts/conversation-file.ts";

const turn = (text: string, more = {}) => ({ text, outputTokens: null, answer: null, thinkMs: null, ...more });

describe("parseConversationFile()", () => {
  it.each([
    {
      name: "ShareGPT with a system message",
      file: '{"conversations":[{"from":"system","value":"s"},{"from":"human","value":"a"},{"from":"gpt","value":"b"},{"from":"human","value":"c"}]}',
      want: { system: "s", turns: [turn("a", { answer: "b" }), turn("c")] },
    },
    {
      name: "AIPerf's sessions",
      file: '{"session_id":"x","turns":[{"text":"a","output_length":5},{"text":"b","delay":1500}]}',
      want: { system: null, turns: [turn("a", { outputTokens: 5 }), turn("b", { thinkMs: 1500 })] },
    },
    {
      name: "messages of OpenAI",
      file: '{"body":{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}],"max_tokens":9}}',
      want: {
        system: "s",
        turns: [turn("a", { outputTokens: 9, answer: "b" }), turn("c", { outputTokens: 9 })],
      },
    },
    { name: "a single prompt", file: '{"prompt":"a"}', want: { system: null, turns: [turn("a")] } },
  ])("reads $name", ({ file, want }) => {
    expect(parseConversationFile(file, "c.jsonl")).toEqual([want]);
  });

  it("leaves out conversations in which no person speaks", () => {
    const file = '{"conversations":[{"from":"gpt","value":"b"}]}\n{"prompt":"a"}';
    expect(parseConversationFile(file, "c.jsonl")).toHaveLength(1);
    expect(() => parseConversationFile(file.split("\n")[0] ?? "", "c.jsonl")).toThrow("it holds no conversation");
  });

  it.each([
    {
      file: '{"turns":[{"text":"a"},{"say":"b"}]}',
      says: 'from "c.jsonl:1": a turn is {"say":"b"}, "text" or "prompt"',
    },
    { file: '{"turns":[{"text":"a","delay":-1}]}', says: 'its "delay" is -1, milliseconds from 0 are wanted' },
  ])("refuses $file", ({ file, says }) => {
    expect(() => parseConversationFile(file, "c.jsonl")).toThrow(
      expect.objectContaining({ code: "INPUT_INVALID", message: expect.stringContaining(says) }),
    );
  });
});
