import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SseLimitError, sseParser } from "../../src/stream/sse-parser.ts";
import cases from "../cases/bench/sse.json" with { type: "json" };

interface Seen {
  type: string;
  data: string;
  lastEventId: string;
}

/** Parses the pieces from memory that is overwritten after each push, as a socket's read buffer is. */
function parse(pieces: readonly Uint8Array[]): { events: Seen[]; pendingBytes: number } {
  const events: Seen[] = [];
  const parser = sseParser((bytes, start, end, type, lastEventId) => {
    events.push({ type, data: bytes.toString("utf8", start, end), lastEventId });
  });
  for (const piece of pieces) {
    const reused = Buffer.concat([Buffer.from("data: x\r\n\n"), piece, Buffer.from("\n\ndata: y\n\n")]);
    parser.push(reused, 10, 10 + piece.length);
    reused.fill(0x2e);
  }
  return { events, pendingBytes: parser.pendingBytes };
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const edges = [0, ...at.map((edge) => edge % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
}

const streams = cases.map((each) => ({
  ...each,
  bytes: each.latin1 === undefined ? Buffer.from(each.stream ?? "") : Buffer.from(each.latin1, "latin1"),
  events: each.events.map((event) => ({ type: "message", lastEventId: "", ...event })),
}));

describe("sseParser()", () => {
  it.each(streams)("reads: $name", ({ bytes, events, pendingBytes }) => {
    expect(parse([bytes])).toEqual({ events, pendingBytes: pendingBytes ?? 0 });
  });

  it.each(streams)("reads the same byte by byte: $name", ({ bytes, events, pendingBytes }) => {
    const bytewise = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
    expect(parse(bytewise)).toEqual({ events, pendingBytes: pendingBytes ?? 0 });
  });

  it("gives the same events however the bytes are cut", () => {
    const all = fc
      .array(fc.constantFrom(...streams.map(({ bytes }) => bytes)), { minLength: 1, maxLength: 6 })
      .map((parts) => Buffer.concat(parts));
    fc.assert(
      fc.property(all, fc.array(fc.nat(), { maxLength: 12 }), (bytes, edges) => {
        expect(parse(cut(bytes, edges))).toEqual(parse([bytes]));
      }),
      { numRuns: 400 },
    );
  });

  it("gives the same events however arbitrary bytes are cut", () => {
    const bytes = fc
      .array(fc.constantFrom("data:", " ", "\r", "\n", ":", "x", "é", "id", "event", "\ufeff", "\0"), { maxLength: 60 })
      .map((parts) => Buffer.from(parts.join("")));
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 20 }), (whole, edges) => {
        expect(parse(cut(whole, edges))).toEqual(parse([whole]));
      }),
      { numRuns: 1000 },
    );
  });

  it("refuses to grow past its limit, in one line or in many", () => {
    const oneLine = sseParser(() => {}, 1000);
    expect(() => oneLine.push(Buffer.alloc(1001, "x"))).toThrow(SseLimitError);
    const manyLines = sseParser(() => {}, 1000);
    expect(() => {
      for (let line = 0; line < 200; line += 1) manyLines.push(Buffer.from("data: 123456789\n"));
    }).toThrow("an event of more than 1000 bytes");
  });

  it("holds a large event that is within its limit", () => {
    const text = "x".repeat(200 * 1024);
    const bytes = Buffer.from(`data: ${text}\n\n`);
    const pieces = Array.from({ length: 150 }, (_, index) => bytes.subarray(index * 1400, (index + 1) * 1400));
    expect(parse(pieces).events).toEqual([{ type: "message", data: text, lastEventId: "" }]);
  });
});
