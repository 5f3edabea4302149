import { byteQueue } from "./byte-queue.ts";

export interface LineSplitter {
  push(chunk: Buffer): void;
  /** Bytes of a line whose end has not arrived. */
  readonly pendingBytes: number;
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
    push(chunk) {
      const hasCr = chunk.includes(CR);
      let at = 0;
      while (at < chunk.length) {
        if (skipLf) {
          skipLf = false;
          if (chunk[at] === LF) at += 1;
          continue;
        }
        // The second LF of "\n\n" is found without a search.
        const end = chunk[at] === LF ? at : endOfLine(chunk, at, hasCr);
        if (end === -1) {
          partial.append(chunk.subarray(at));
          return;
        }
        handOver(chunk, at, end);
        skipLf = chunk[end] === CR;
        at = end + 1;
      }
    },
    get pendingBytes() {
      return partial.length;
    },
  };
}

function endOfLine(chunk: Buffer, from: number, hasCr: boolean): number {
  const lf = chunk.indexOf(LF, from);
  if (!hasCr) return lf;
  const cr = chunk.indexOf(CR, from);
  return lf === -1 || (cr !== -1 && cr < lf) ? cr : lf;
}
