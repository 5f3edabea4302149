import { type ChunkedBody, chunkedBody } from "./chunked-body.ts";
import { type HttpHead, HttpSyntaxError, parseHttpHead } from "./http-head.ts";

export interface HttpResponseSink {
  onHead(status: number, headers: Readonly<Record<string, string>>): void;
  /** Part of the body without its framing, from `start` to before `end`; only valid during the call. */
  onBody(bytes: Buffer, start: number, end: number): void;
  /** The answer is complete. `reusable`: the connection may carry another one. */
  onEnd(reusable: boolean): void;
}

export interface HttpResponseReader {
  /** Reads the bytes before `end`, all of them by default. Throws HttpSyntaxError when they are no answer. */
  push(bytes: Buffer, end?: number): void;
  /** The connection was closed: ends a body that is meant to end so. */
  close(): void;
  /** Forgets the answer: what comes next is another one. */
  reset(): void;
}

type State = "head" | "chunked" | "length" | "until-close" | "done";

const NOTHING = Buffer.alloc(0);
const HEAD_END = Buffer.from("\r\n\r\n");
const HEAD_LIMIT_BYTES = 64 * 1024;

/**
 * Incremental reader of one HTTP/1.1 answer after the other (RFC 9112): interim 1xx answers are skipped, a body is chunked, has a
 * length, or lasts until the connection closes, and its parts are handed over as they arrive.
 */
export function httpResponseReader(sink: HttpResponseSink): HttpResponseReader {
  let state: State = "head";
  /** Start of a head whose end has not arrived. */
  let partial: Buffer = NOTHING;
  let left = 0;
  let keepAlive = false;
  const chunks: ChunkedBody = chunkedBody(sink.onBody);

  /** Returns where the head ends, as far as it is in these bytes. */
  function readHead(bytes: Buffer, start: number, end: number): number {
    const before = partial.length;
    const all = before === 0 ? bytes.subarray(start, end) : Buffer.concat([partial, bytes.subarray(start, end)]);
    const headEnd = all.indexOf(HEAD_END);
    if (headEnd === -1) {
      if (all.length > HEAD_LIMIT_BYTES) throw new HttpSyntaxError(`a head over ${HEAD_LIMIT_BYTES} bytes`);
      partial = Buffer.from(all);
      return end;
    }
    partial = NOTHING;
    const head = parseHttpHead(all.toString("latin1", 0, headEnd));
    if (head.status >= 200) begin(head);
    return start + headEnd + HEAD_END.length - before;
  }

  function begin({ status, headers, body, ...head }: HttpHead): void {
    keepAlive = head.keepAlive;
    if (typeof body === "number") {
      state = "length";
      left = body;
    } else state = body;
    sink.onHead(status, headers);
    if (body === 0) finish();
  }

  function readLength(bytes: Buffer, start: number, end: number): number {
    const bodyEnd = Math.min(end, start + left);
    left -= bodyEnd - start;
    sink.onBody(bytes, start, bodyEnd);
    if (left === 0) finish();
    return bodyEnd;
  }

  function readChunked(bytes: Buffer, start: number, end: number): number {
    const bodyEnd = chunks.push(bytes, start, end);
    if (bodyEnd === -1) return end;
    finish();
    return bodyEnd;
  }

  /** Returns how far it came. */
  function readRest(bytes: Buffer, start: number, end: number): number {
    if (state === "chunked") return readChunked(bytes, start, end);
    if (state === "head") return readHead(bytes, start, end);
    if (state === "length") return readLength(bytes, start, end);
    if (state === "done") throw new HttpSyntaxError("more bytes than the answer has");
    sink.onBody(bytes, start, end);
    return end;
  }

  function finish(): void {
    state = "done";
    sink.onEnd(keepAlive);
  }

  return {
    push(bytes, end = bytes.length) {
      let at = 0;
      while (at < end) at = readRest(bytes, at, end);
    },
    close() {
      if (state === "until-close") finish();
    },
    reset() {
      state = "head";
      partial = NOTHING;
      chunks.reset();
    },
  };
}
