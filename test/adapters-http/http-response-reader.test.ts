import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HttpSyntaxError } from "../../src/adapters-http/http-head.ts";
import { httpResponseReader } from "../../src/adapters-http/http-response-reader.ts";

interface Read {
  status: number | null;
  headers: Readonly<Record<string, string>>;
  body: string;
  ended: "reusable" | "not reusable" | null;
}

function read(pieces: readonly (string | Buffer)[], closes = false): Read {
  const seen: Read = { status: null, headers: {}, body: "", ended: null };
  const reader = httpResponseReader({
    onHead(status, headers) {
      seen.status = status;
      seen.headers = headers;
    },
    onBody(bytes, start, end) {
      seen.body += bytes.toString("latin1", start, end);
    },
    onEnd(reusable) {
      seen.ended = reusable ? "reusable" : "not reusable";
    },
  });
  for (const piece of pieces) {
    const reused = Buffer.from(piece);
    reader.push(reused, reused.length);
    reused.fill(0);
  }
  if (closes) reader.close();
  return seen;
}

const HEAD = "HTTP/1.1 200 OK\r\n";
const answers = [
  {
    name: "a chunked body",
    text: `${HEAD}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n`,
    body: "abc0123456789",
  },
  {
    name: "chunk extensions and trailers",
    text: `${HEAD}transfer-encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n0;last\r\nx-sum: 9\r\n\r\n`,
    body: "abc",
  },
  {
    name: "line ends inside chunks",
    text: `${HEAD}Transfer-Encoding: Chunked\r\n\r\n6\r\na\r\n\r\nb\r\n0\r\n\r\n`,
    body: "a\r\n\r\nb",
  },
  { name: "a body with a length", text: `${HEAD}Content-Length: 5\r\n\r\nhello`, body: "hello" },
  { name: "an empty body", text: `${HEAD}content-length: 0\r\n\r\n`, body: "" },
  { name: "no body", text: "HTTP/1.1 204 No Content\r\n\r\n", body: "" },
  {
    name: "an interim answer before",
    text: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${HEAD}content-length: 1\r\n\r\na`,
    body: "a",
  },
  {
    name: "HTTP/1.0 that stays open",
    text: "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\na",
    body: "a",
  },
  { name: "a status line without a reason", text: "HTTP/1.1 200\r\ncontent-length: 1\r\n\r\na", body: "a" },
];

describe("httpResponseReader()", () => {
  it.each(answers)("reads $name", ({ text, body }) => {
    expect(read([text])).toMatchObject({ body, ended: "reusable" });
  });

  it("reads the same however the bytes are cut", () => {
    fc.assert(
      fc.property(fc.constantFrom(...answers), fc.array(fc.nat(), { maxLength: 8 }), ({ text, body }, cuts) => {
        const edges = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
        const pieces = edges.slice(1).map((end, at) => text.slice(edges[at], end));
        expect(read(pieces)).toMatchObject({ body, ended: "reusable" });
      }),
      { numRuns: 500 },
    );
  });

  it("reads header names in lower case and joins repeated ones", () => {
    const { status, headers } = read([
      "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nX-A: 1\r\nx-a:  2 \r\ncontent-length: 0\r\n\r\n",
    ]);
    expect(status).toBe(503);
    expect(headers).toEqual({ "retry-after": "1", "x-a": "1, 2", "content-length": "0" });
  });

  it.each([
    { name: "connection: close", text: `${HEAD}connection: close\r\ncontent-length: 1\r\n\r\na` },
    { name: "HTTP/1.0", text: "HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na" },
  ])("does not use a connection again after $name", ({ text }) => {
    expect(read([text])).toMatchObject({ body: "a", ended: "not reusable" });
  });

  it("ends a body without a length when the connection closes, and only such a body", () => {
    expect(read([`${HEAD}\r\nab`, "c"])).toMatchObject({ body: "abc", ended: null });
    expect(read([`${HEAD}\r\nab`, "c"], true)).toMatchObject({ body: "abc", ended: "not reusable" });
    expect(read([`${HEAD}content-length: 9\r\n\r\nab`], true)).toMatchObject({ body: "ab", ended: null });
    expect(read([`${HEAD}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`], true)).toMatchObject({ ended: null });
    expect(read(["HTTP/1.1 2"], true)).toMatchObject({ status: null, ended: null });
  });

  it.each([
    { name: "another protocol", text: "SSH-2.0-OpenSSH_9.2\r\n\r\n" },
    { name: "HTTP/2", text: "HTTP/2 200\r\n\r\n" },
    { name: "a chunk size that is none", text: `${HEAD}transfer-encoding: chunked\r\n\r\nxyz\r\nabc` },
    { name: "a chunk longer than its size", text: `${HEAD}transfer-encoding: chunked\r\n\r\n2\r\nabc\r\n` },
    { name: "a length that is none", text: `${HEAD}content-length: -1\r\n\r\n` },
    { name: "bytes after the answer", text: `${HEAD}content-length: 1\r\n\r\nabc` },
    { name: "a head without an end", text: `${HEAD}x: ${"y".repeat(200_000)}` },
  ])("refuses $name", ({ text }) => {
    expect(() => read([text])).toThrow(HttpSyntaxError);
  });
});
