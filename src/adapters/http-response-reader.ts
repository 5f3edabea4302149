import { type ChunkedBody, chunkedBody } from "./chunked-body.ts";
import { type HttpHead, HttpSyntaxError, parseHttpHead } from "./http-head.ts";

export interface HttpResponseSink {
  onHead(status: number, headers: Readonly<Record<string, string>>): void;
  /** Part of the body without its framing; only valid during the call. */
  onBody(bytes: Buffer): void;
  /** The answer is complete. `reusable`: the connection may carry another one. */
  onEnd(reusable: boolean): void;
}

export interface HttpResponseReader {
  /** Throws HttpSyntaxError when the bytes are no answer. */
  push(bytes: Buffer): void;
  /** The connection was closed: ends a body that is meant to end so. */
  close(): void;
}

type State = "head" | "chunked" | "length" | "until-close" | "done";

const NOTHING = Buffer.alloc(0);
const HEAD_END = Buffer.from("\r\n\r\n");
const HEAD_LIMIT_BYTES = 64 * 1024;

/**
 * Incremental reader of one HTTP/1.1 answer (RFC 9112): interim 1xx answers are skipped, a body is chunked, has a
 * length, or lasts until the connection closes, and its parts are handed over as they arrive.
 */
export function httpResponseReader(sink: HttpResponseSink): HttpResponseReader {
  let state: State = "head";
  /** Start of a head whose end has not arrived. */
  let partial: Buffer = NOTHING;
  let left = 0;
  let keepAlive = false;
  const chunks: ChunkedBody = chunkedBody(sink.onBody);

  /** Returns what follows the head. */
  function readHead(bytes: Buffer): Buffer {
    const all = partial.length === 0 ? bytes : Buffer.concat([partial, bytes]);
    const end = all.indexOf(HEAD_END);
    if (end === -1) {
      if (all.length > HEAD_LIMIT_BYTES) throw new HttpSyntaxError(`a head over ${HEAD_LIMIT_BYTES} bytes`);
      partial = Buffer.from(all);
      return NOTHING;
    }
    partial = NOTHING;
    const head = parseHttpHead(all.toString("latin1", 0, end));
    if (head.status >= 200) begin(head);
    return all.subarray(end + HEAD_END.length);
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

  function readLength(bytes: Buffer): Buffer {
    const part = bytes.length <= left ? bytes : bytes.subarray(0, left);
    left -= part.length;
    sink.onBody(part);
    if (left === 0) finish();
    return bytes.subarray(part.length);
  }

  function readChunked(bytes: Buffer): Buffer {
    const end = chunks.push(bytes);
    if (end === -1) return NOTHING;
    finish();
    return end === bytes.length ? NOTHING : bytes.subarray(end);
  }

  function readRest(bytes: Buffer): Buffer {
    if (state === "done") throw new HttpSyntaxError("more bytes than the answer has");
    if (state === "head") return readHead(bytes);
    if (state === "chunked") return readChunked(bytes);
    if (state === "length") return readLength(bytes);
    sink.onBody(bytes);
    return NOTHING;
  }

  function finish(): void {
    state = "done";
    sink.onEnd(keepAlive);
  }

  return {
    push(bytes) {
      let rest = bytes;
      while (rest.length > 0) rest = readRest(rest);
    },
    close() {
      if (state === "until-close") finish();
    },
  };
}
