import { byteQueue } from "./byte-queue.ts";

export interface LineSplitter {
  /** Takes the bytes from `start` to before `end`. */
  push(chunk: Buffer, start: number, end: number): void;
  /** Bytes of a line whose end has not arrived. */
  readonly pendingBytes: number;
  /** A whole line is over, and what comes next begins another one. */
  isAtLineStart(): boolean;
  /** Forgets the stream: what comes next begins another one. */
  reset(): void;
}

const LF = 10;
const CR = 13;

/**
 * Cuts a byte stream into lines that end with LF, CR or CRLF, wherever the stream is cut. A line is handed over as a
 * range of a buffer, without its end, and is only valid during the call: most lines are never made objects.
 */
export function lineSplitter(onLine: (bytes: Buffer, start: number, end: number) => void): LineSplitter {
  const partial = byteQueue();
  /** A CR ended the last line: an LF that comes next belongs to it. */
  let skipLf = false;

  function handOver(chunk: Buffer, start: number, end: number): void {
    if (partial.length === 0) {
      onLine(chunk, start, end);
      return;
    }
    partial.append(chunk.subarray(start, end));
    const whole = partial.take();
    onLine(whole, 0, whole.length);
  }

  return {
    push(chunk, start, end) {
      const hasCr = indexBefore(chunk, CR, start, end) !== -1;
      let at = start;
      while (at < end) {
        if (skipLf) {
          skipLf = false;
          if (chunk[at] === LF) at += 1;
          continue;
        }
        // The second LF of "\n\n" is found without a search.
        const lineEnd = chunk[at] === LF ? at : endOfLine(chunk, at, end, hasCr);
        if (lineEnd === -1) {
          partial.append(chunk.subarray(at, end));
          return;
        }
        handOver(chunk, at, lineEnd);
        skipLf = chunk[lineEnd] === CR;
        at = lineEnd + 1;
      }
    },
    get pendingBytes() {
      return partial.length;
    },
    isAtLineStart: () => partial.length === 0 && !skipLf,
    reset() {
      partial.clear();
      skipLf = false;
    },
  };
}

function endOfLine(chunk: Buffer, from: number, end: number, hasCr: boolean): number {
  const lf = indexBefore(chunk, LF, from, end);
  if (!hasCr) return lf;
  const cr = indexBefore(chunk, CR, from, end);
  return lf === -1 || (cr !== -1 && cr < lf) ? cr : lf;
}

/** The buffer may be larger than what was read: what is found behind the end is none of it. */
function indexBefore(chunk: Buffer, byte: number, from: number, end: number): number {
  const at = chunk.indexOf(byte, from);
  return at < end ? at : -1;
}
