import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Answer, type AnswerReader, answerReader } from "../../src/stream/answer-reader.ts";

const frame = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const token = (text: string, reason: string | null = null, id = "c") =>
  frame({ id, choices: [{ index: 0, text, finish_reason: reason }] });
const usage = (tokens: number) => frame({ choices: [], usage: { completion_tokens: tokens } });
const DONE = "data: [DONE]\n\n";
const withUsage = frame({ id: "c", choices: [{ index: 0, text: "a" }], usage: { completion_tokens: 1 } });

/** Pushes pieces that come 1 ms apart, the first at `fromMs`, out of a buffer that is used again. */
function read(reader: AnswerReader, pieces: readonly (string | Buffer)[], fromMs = 10): Answer {
  for (const [at, piece] of pieces.entries()) {
    const bytes = Buffer.concat([Buffer.from("??"), Buffer.from(piece), Buffer.from("??")]);
    reader.push(bytes, 2, bytes.length - 2, fromMs + at);
    bytes.fill(0);
  }
  return reader.answer();
}

const ANSWER = [token("a"), token(""), token("b"), token("c", "length"), usage(4), DONE];

describe("answerReader()", () => {
  it("finds when the tokens came and what the server says about them", () => {
    expect(read(answerReader(), ANSWER)).toEqual({
      times: {
        firstEventMs: 10,
        firstMs: 10,
        lastMs: 13,
        firstVisibleMs: 10,
        chunkMs: Float64Array.of(10, 12, 13),
        coalesced: 0,
      },
      details: { id: "c", promptTokens: null, outputTokens: 4, finishReason: "length", chunkTokens: null },
      done: true,
      problem: null,
      pendingBytes: 0,
    });
  });

  it("counts an event that came in the same read as the one before, in one part of the body or in two", () => {
    const reader = answerReader();
    const both = Buffer.from(token("a") + token("b"));
    reader.push(both, 0, both.length, 10);
    for (const [text, atMs] of [
      [token("c"), 11],
      [token("d"), 11],
      [token("e"), 12],
    ] as const) {
      reader.push(Buffer.from(text), 0, text.length, atMs);
    }
    expect(reader.answer().times).toMatchObject({ coalesced: 2, chunkMs: Float64Array.of(10, 10, 11, 11, 12) });
  });

  it("finds the same wherever the stream is cut", () => {
    const events = fc.constantFrom(
      ...[token("a"), token(""), token('say "hi" 你好'), token("x", null, "other"), token("\u0000\n"), usage(2), DONE],
      ...[": ping\n\n", "event: error\ndata: {}\n\n", "id: 7\n", "data: {\r\n\r\n", "\n", "\r", "data:\n\n", "data: "],
      ...['data: {"id":"c","choices":[{"index":0,"text":"a\nb","finish_reason":null}]}\n\n', "event: \n", "retry: 1\n"],
    );
    fc.assert(
      fc.property(fc.array(events, { maxLength: 12 }), fc.array(fc.nat(400), { maxLength: 8 }), (stream, cuts) => {
        const bytes = Buffer.from(token("a") + stream.join(""));
        const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
        const pieces = places.slice(1).map((to, at) => bytes.subarray(places[at], to));
        const whole = read(answerReader(), [bytes]);
        const cut = read(answerReader(), pieces);
        expect(cut).toMatchObject({ details: whole.details, done: whole.done, problem: whole.problem });
        expect(cut.times.chunkMs.length).toBe(whole.times.chunkMs.length);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    { name: "a whole one", before: ANSWER },
    { name: "one that ends inside an event", before: [token("a"), "event: error\ndata: {"] },
    { name: "one that ends inside a line end", before: [token("a"), "data: x\r"] },
    { name: "one with an error", before: [token("a"), frame({ error: { message: "out of memory" } })] },
    { name: "one that is no JSON", before: ["data: {\n\n"] },
    { name: "one with a token count on every chunk", before: [withUsage] },
    { name: "the start of a byte order mark", before: [Buffer.from([0xef, 0xbb])] },
  ])("reads an answer after $name as if it were the first", ({ before }) => {
    const reader = answerReader();
    read(reader, before, 1);
    reader.reset();
    const bom = Buffer.from("\ufeff");
    expect(read(reader, [bom, ...ANSWER])).toEqual(read(answerReader(), [bom, ...ANSWER]));
  });

  it("leaves what it found alone when it is used again", () => {
    const reader = answerReader();
    const first = read(reader, ANSWER, 10);
    reader.reset();
    read(reader, ANSWER, 50);
    expect(first.times.chunkMs).toEqual(Float64Array.of(10, 12, 13));
  });
});
