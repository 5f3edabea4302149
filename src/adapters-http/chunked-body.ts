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

/** Value of the digit that a byte is; -1: none. */
const HEX = Int8Array.from({ length: 256 }, (_, byte) =>
  "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase()),
);

/** After "size" and its digits come extensions ("skip"); a chunk's data is followed by a line end. */
type Expects = "size" | "skip" | "data" | "line end" | "trailer" | "nothing";

/**
 * Incremental reader of a chunked body (RFC 9112 §7.1), extensions and trailers left out. It runs once for every token
 * of every stream, so it counts through the bytes, makes no text of them, and calls nothing for each of them.
 */
export function chunkedBody(onData: (bytes: Buffer, start: number, end: number) => void): ChunkedBody {
  let expects: Expects = "size";
  /** Size of this chunk as far as it was read, then the bytes that it still lacks. */
  let left = 0;
  let digits = 0;
  let lineBytes = 0;

  function readData(bytes: Buffer, start: number, end: number): number {
    const dataEnd = Math.min(end, start + left);
    left -= dataEnd - start;
    if (left === 0) expects = "line end";
    onData(bytes, start, dataEnd);
    return dataEnd;
  }

  /** Takes what it can of everything but data, and returns how far it came. */
  function readBetween(bytes: Buffer, start: number, end: number): number {
    const at = expects === "size" ? readDigits(bytes, start, end) : start;
    if (at === end) return end;
    if (bytes[at] === CR && at + 1 < end && bytes[at + 1] === LF && isEndOfLine()) return at + 2;
    readFraming(bytes[at] as number);
    return at + 1;
  }

  function readDigits(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && digits < SIZE_DIGITS) {
      const digit = HEX[bytes[at] as number] as number;
      if (digit === -1) break;
      left = left * 16 + digit;
      digits += 1;
      at += 1;
    }
    return at;
  }

  /** Whether a line may end here and ends it, in the two places where nearly all of them end. */
  function isEndOfLine(): boolean {
    const mayEnd = expects === "line end" || (expects === "size" && digits > 0);
    if (mayEnd) readFraming(LF);
    return mayEnd;
  }

  /** Takes one byte of everything but data. */
  function readFraming(byte: number): void {
    lineBytes += 1;
    if (lineBytes > LINE_LIMIT_BYTES) throw new HttpSyntaxError(`a line of more than ${LINE_LIMIT_BYTES} bytes`);
    if (expects === "size") readSize(byte);
    else if (expects === "trailer") readTrailer(byte);
    else if (byte === LF && expects === "skip") startData();
    else if (byte === LF) startSize();
    else if (byte !== CR && expects === "line end") throw new HttpSyntaxError("a chunk that is longer than its size");
  }

  function readSize(byte: number): void {
    if (digits > 0 && byte === LF) startData();
    else if (digits > 0 && (byte === CR || byte === SEMICOLON || byte === SPACE || byte === TAB)) expects = "skip";
    else throw new HttpSyntaxError("a chunk without a size");
  }

  function startData(): void {
    expects = left === 0 ? "trailer" : "data";
    lineBytes = 0;
  }

  function startSize(): void {
    expects = "size";
    left = 0;
    digits = 0;
    lineBytes = 0;
  }

  /** An empty line ends the trailer, and so the body. */
  function readTrailer(byte: number): void {
    if (byte === LF && lineBytes === 1) expects = "nothing";
    if (byte === LF) lineBytes = 0;
    else if (byte === CR) lineBytes -= 1;
  }

  return {
    reset: startSize,
    push(bytes, start, end) {
      let at = start;
      while (at < end && expects !== "nothing")
        at = expects === "data" ? readData(bytes, at, end) : readBetween(bytes, at, end);
      return expects === "nothing" ? at : -1;
    },
  };
}
