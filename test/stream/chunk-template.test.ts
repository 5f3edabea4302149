import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkTemplate as templateOf } from "../../src/stream/chunk-template.ts";
import { readOpenAiChunk } from "../../src/stream/openai-chunk.ts";

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.constantFrom("", '"', "\\", '\\"content":"', "\n"),
);
const finish = fc.constantFrom(null, null, null, "stop", "length");

/** Chunks as servers send them, in a few shapes that differ in what matters and in what does not. */
const chunks = fc.oneof(
  fc.record({
    id: text,
    created: fc.integer(),
    choices: fc.tuple(fc.record({ index: fc.nat(2), text, logprobs: fc.constant(null), finish_reason: finish })),
  }),
  fc.record({
    id: text,
    choices: fc.tuple(
      fc.record({
        index: fc.constant(0),
        delta: fc.oneof(
          fc.record({ content: text }),
          fc.record({ role: fc.constant("assistant"), content: text }),
          fc.record({ reasoning_content: text }),
          fc.record({ content: text, reasoning: text }),
          fc.record({ tool_calls: fc.constant([{ index: 0, function: { arguments: "{" } }]) }),
        ),
        finish_reason: finish,
      }),
    ),
    usage: fc.constantFrom(undefined, null, { prompt_tokens: 1, completion_tokens: 2 }),
  }),
  fc.record({ error: fc.record({ message: text }), choices: fc.constant([]) }),
  fc.record({ choices: fc.constant([{ index: 0, text: "a", token_ids: [1] }]) }),
);

/** The template of whole buffers, which the chunk lies in the middle of. */
function chunkTemplate(bytes: Buffer) {
  const template = templateOf(bytes.toString("latin1"));
  if (template === null) return null;
  return {
    match(other: Buffer) {
      const around = Buffer.concat([Buffer.from("data: "), other, Buffer.from("\n\n")]);
      return template.match(around, 6, 6 + other.length);
    },
  };
}

describe("chunkTemplate()", () => {
  it("never says anything else than parsing does", () => {
    fc.assert(
      fc.property(chunks, chunks, (model, other) => {
        const template = chunkTemplate(Buffer.from(JSON.stringify(model)));
        const carries = template?.match(Buffer.from(JSON.stringify(other)));
        if (carries === undefined) return;
        expect(readOpenAiChunk(JSON.parse(JSON.stringify(other)))).toMatchObject({
          carries,
          tokenIds: null,
          finishReasons: [],
          usage: null,
          error: null,
        });
      }),
      { numRuns: 3000 },
    );
  });

  it("notices every byte that differs outside of strings and numbers", () => {
    const text = '{"id":"a-1","created":17,"choices":[{"index":0,"text":" w1","finish_reason":null}]}';
    const bytes = Buffer.from(text);
    const template = chunkTemplate(bytes);
    const fixed = [...text.replaceAll(/(?<=:")[^"]*(?=")|(?<=:)\d+/g, (hole) => "?".repeat(hole.length))];
    const places = fixed.flatMap((letter, at) => (letter === "?" ? [] : [at]));
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.nat(255), (at, byte) => {
        const changed = Buffer.from(bytes);
        changed[at] = byte;
        // A quote, comma or brace that becomes part of the string or number before it moves what follows.
        expect(template?.match(changed)).toBe(byte === bytes[at] ? "visible" : undefined);
      }),
      { numRuns: 3000 },
    );
  });

  it("fits the next chunks of a vLLM stream, whatever their text, id and numbers are", () => {
    const chunk = (id: string, words: string) =>
      Buffer.from(
        JSON.stringify({
          id,
          object: "text_completion",
          created: 1795514199,
          model: "tiny",
          choices: [{ index: 0, text: words, logprobs: null, finish_reason: null, stop_reason: null, token_ids: null }],
        }),
      );
    const template = chunkTemplate(chunk("cmpl-1", " a"));
    expect(template?.match(chunk("cmpl-1-2-3456", ' say "hi" \\ 你好'))).toBe("visible");
    expect(template?.match(chunk("cmpl-1", ""))).toBeNull();
    expect(template?.match(chunk("cmpl-1", " a").subarray(0, -1))).toBeUndefined();
    expect(template?.match(Buffer.from("[DONE]"))).toBeUndefined();
  });

  it.each([
    { name: "a finish reason", chunk: { choices: [{ index: 0, text: "a", finish_reason: "stop" }] } },
    { name: "usage", chunk: { choices: [{ index: 0, text: "a" }], usage: { completion_tokens: 1 } } },
    { name: "token ids", chunk: { choices: [{ index: 0, text: "a", token_ids: [5] }] } },
    { name: "tool calls", chunk: { choices: [{ index: 0, delta: { tool_calls: [{}] } }] } },
    {
      name: "two fields that could carry a token",
      chunk: { choices: [{ index: 0, delta: { content: "a", refusal: "" } }] },
    },
    { name: "no choices", chunk: { text: "a" } },
  ])("is not made from a chunk with $name", ({ chunk }) => {
    expect(chunkTemplate(Buffer.from(JSON.stringify(chunk)))).toBeNull();
  });

  it.each(["\n", "\r", "\\\n"])("takes a text with a bare %j in it for no chunk: there a line would end", (end) => {
    const template = chunkTemplate(Buffer.from('{"choices":[{"text":"a"}]}'));
    expect(template?.match(Buffer.from('{"choices":[{"text":"b"}]}'))).toBe("visible");
    expect(template?.match(Buffer.from(`{"choices":[{"text":"b${end}"}]}`))).toBeUndefined();
    expect(chunkTemplate(Buffer.from(`{"choices":${end}[{"text":"b"}]}`))).toBeNull();
  });
});
