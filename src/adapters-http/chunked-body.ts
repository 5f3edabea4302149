import { HttpSyntaxError } from "./http-head.ts";

export interface ChunkedBody {
  /** Hands the data of this range over. Returns where the body ends in it, or -1 while it goes on. */
  push(bytes: Buffer, start: number, end: number): number;
  /** Forgets the body: what comes next begins another one. */
  reset(): void;
}

const LF = 10;
const CR = 13;
const SEMICOLON = 59;
const SPACE = 32;
const TAB = 9;
/** A size line holds a number and extensions that nobody uses; a trailer is a header that nobody reads. */
const LINE_LIMIT_BYTES = 16_384;
/** 2^48 bytes: more digits would not be exact in a number. */
const SIZE_DIGITS = 12;

/** After "size" and its digits come extensions ("skip"); a chunk's data is followed by a line end. */
type Expects = "size" | "skip" | "data" | "line end" | "trailer" | "nothing";

/**
 * Incremental reader of a chunked body (RFC 9112 §7.1), extensions and trailers left out. It runs once for every token
 * of every stream, so it counts through the bytes and makes no text of them.
 */
export function chunkedBody(onData: (bytes: Buffer, start: number, end: number) => void): ChunkedBody {
  let expects: Expects = "size";
  /** Size of this chunk as far as it was read, then the bytes that it still lacks. */
  let left = 0;
  let digits = 0;
  let lineBytes = 0;

  /** Takes one byte of everything but data. */
  function readFraming(byte: number): void {
    lineBytes += 1;
    if (lineBytes > LINE_LIMIT_BYTES) throw new HttpSyntaxError(`a line of more than ${LINE_LIMIT_BYTES} bytes`);
    if (expects === "size") readSize(byte);
    else if (expects === "skip") {
      if (byte === LF) startData();
    } else if (expects === "line end") readLineEnd(byte);
    else readTrailer(byte);
  }

  function readSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit !== -1 && digits < SIZE_DIGITS) {
      left = left * 16 + digit;
      digits += 1;
    } else if (digits > 0 && byte === LF) startData();
    else if (digits > 0 && (byte === CR || byte === SEMICOLON || byte === SPACE || byte === TAB)) expects = "skip";
    else throw new HttpSyntaxError("a chunk without a size");
  }

  function startData(): void {
    expects = left === 0 ? "trailer" : "data";
    digits = 0;
    lineBytes = 0;
  }

  function readLineEnd(byte: number): void {
    if (byte === LF) {
      expects = "size";
      lineBytes = 0;
    } else if (byte !== CR) throw new HttpSyntaxError("a chunk that is longer than its size");
  }

  /** An empty line ends the trailer, and so the body. */
  function readTrailer(byte: number): void {
    if (byte === LF) {
      if (lineBytes === 1) expects = "nothing";
      lineBytes = 0;
    } else if (byte === CR) lineBytes -= 1;
  }

  return {
    reset() {
      expects = "size";
      left = 0;
      digits = 0;
      lineBytes = 0;
    },
    push(bytes, start, end) {
      let at = start;
      while (at < end && expects !== "nothing") {
        if (expects !== "data") {
          readFraming(bytes[at] as number);
          at += 1;
          continue;
        }
        const dataEnd = Math.min(end, at + left);
        left -= dataEnd - at;
        if (left === 0) expects = "line end";
        onData(bytes, at, dataEnd);
        at = dataEnd;
      }
      return expects === "nothing" ? at : -1;
    },
  };
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
