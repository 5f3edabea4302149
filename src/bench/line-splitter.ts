import { byteQueue } from "./byte-queue.ts";

export interface LineSplitter {
  push(chunk: Buffer): void;
  /** Bytes of a line whose end has not arrived. */
  readonly pendingBytes: number;
}

const LF = 10;
const CR = 13;

/**
 * Cuts a byte stream into lines that end with LF, CR or CRLF, wherever the stream is cut. A line is handed over
 * without its end and is only valid during the call.
 */
export function lineSplitter(onLine: (line: Buffer) => void): LineSplitter {
  const partial = byteQueue();
  /** A CR ended the last line: an LF that comes next belongs to it. */
  let skipLf = false;

  function completed(tail: Buffer): Buffer {
    if (partial.length === 0) return tail;
    partial.append(tail);
    return partial.take();
  }

  return {
    push(chunk) {
      const hasCr = chunk.includes(CR);
      let at = 0;
      while (at < chunk.length) {
        if (skipLf) {
          skipLf = false;
          if (chunk[at] === LF) at += 1;
          continue;
        }
        const end = hasCr ? endOfLine(chunk, at) : chunk.indexOf(LF, at);
        if (end === -1) {
          partial.append(chunk.subarray(at));
          return;
        }
        onLine(completed(chunk.subarray(at, end)));
        skipLf = chunk[end] === CR;
        at = end + 1;
      }
    },
    get pendingBytes() {
      return partial.length;
    },
  };
}

function endOfLine(chunk: Buffer, from: number): number {
  const lf = chunk.indexOf(LF, from);
  const cr = chunk.indexOf(CR, from);
  return lf === -1 || (cr !== -1 && cr < lf) ? cr : lf;
}
