import { describe, expect, it } from "vitest";
import { answerText } from "../../src/stream/answer-text.ts";

const chat = (delta: object) => `data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`;

function read(bytes: Uint8Array, step: number): string {
  const answer = answerText();
  // As the socket does: one buffer that is used again for every read.
  const shared = Buffer.alloc(step);
  for (let at = 0; at < bytes.length; at += step) {
    const part = bytes.subarray(at, at + step);
    shared.set(part);
    answer.push(shared, 0, part.length);
  }
  return answer.read();
}

describe("answerText()", () => {
  it("puts the text of an answer together, however the bytes were cut", () => {
    const stream = [
      chat({ role: "assistant", content: "" }),
      ": ping\n\n",
      chat({ reasoning_content: "hm" }),
      chat({ content: "für " }),
      chat({ content: "🦊" }),
      'data: {"choices":[],"usage":{"completion_tokens":2}}\n\ndata: [DONE]\n\n',
    ].join("");
    const bytes = new TextEncoder().encode(stream);
    for (const step of [1, 3, 7, 1000]) expect(read(bytes, step)).toBe("für 🦊");
  });

  it("reads completions too, and nothing from what is no chunk", () => {
    const bytes = new TextEncoder().encode(
      'data: {"choices":[{"text":" a"}]}\n\ndata: {broken\n\ndata: {"error":"x"}\n\n',
    );
    expect(read(bytes, 1000)).toBe(" a");
    expect(answerText().read()).toBe("");
  });
});
