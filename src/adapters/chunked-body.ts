import { HttpSyntaxError } from "./http-head.ts";

export interface ChunkedBody {
  /** Hands the data of these bytes over. Returns what follows the body, or null while it goes on. */
  push(bytes: Buffer): Buffer | null;
}

const LF = 10;
const CR = 13;
const NOTHING = Buffer.alloc(0);
/** A size line holds a number and extensions that nobody uses. */
const LINE_LIMIT_BYTES = 4096;

/** Incremental reader of a chunked body (RFC 9112 §7.1), extensions and trailers left out. */
export function chunkedBody(onData: (bytes: Buffer) => void): ChunkedBody {
  let expects: "size" | "data" | "line end" | "trailer" | "nothing" = "size";
  /** Bytes that the chunk still lacks. */
  let left = 0;
  /** Start of a line that was cut. */
  let partial: Buffer = NOTHING;

  /** Returns the bytes after the line, or null when its end has not come. */
  function readLine(bytes: Buffer, onLine: (line: string) => void): Buffer | null {
    const end = bytes.indexOf(LF);
    const line = partial.length === 0 ? bytes.subarray(0, end === -1 ? bytes.length : end) : joined(bytes, end);
    if (line.length > LINE_LIMIT_BYTES) throw new HttpSyntaxError(`a line of more than ${LINE_LIMIT_BYTES} bytes`);
    partial = end === -1 ? Buffer.from(line) : NOTHING;
    if (end === -1) return null;
    onLine(line.toString("latin1"));
    return bytes.subarray(end + 1);
  }

  function joined(bytes: Buffer, end: number): Buffer {
    return Buffer.concat([partial, end === -1 ? bytes : bytes.subarray(0, end)]);
  }

  function startChunk(line: string): void {
    if (!/^[0-9a-fA-F]+\s*(;|$)/.test(line.trimEnd())) throw new HttpSyntaxError(`a chunk size of "${line.trim()}"`);
    left = Number.parseInt(line, 16);
    expects = left === 0 ? "trailer" : "data";
  }

  function readData(bytes: Buffer): Buffer {
    const part = bytes.length <= left ? bytes : bytes.subarray(0, left);
    left -= part.length;
    if (left === 0) expects = "line end";
    onData(part);
    return bytes.subarray(part.length);
  }

  function readLineEnd(bytes: Buffer): Buffer {
    if (bytes[0] === LF) expects = "size";
    else if (bytes[0] !== CR) throw new HttpSyntaxError("a chunk that is longer than its size");
    return bytes.subarray(1);
  }

  function readTrailer(line: string): void {
    if (line.trim() === "") expects = "nothing";
  }

  return {
    push(bytes) {
      let rest: Buffer | null = bytes;
      while (rest !== null && rest.length > 0 && expects !== "nothing") {
        if (expects === "data") rest = readData(rest);
        else if (expects === "line end") rest = readLineEnd(rest);
        else rest = readLine(rest, expects === "size" ? startChunk : readTrailer);
      }
      return expects === "nothing" ? rest : null;
    },
  };
}
