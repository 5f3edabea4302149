/** Points in time of one answer, in order. It is emptied and used again, so that a stamp is never garbage. */
export interface StampLog {
  readonly length: number;
  push(ms: number): void;
  clear(): void;
  /** Everything so far, copied to where it stays. */
  keptIn(archive: StampArchive): Float64Array;
}

/** Holds the stamps of all answers of a run. */
export interface StampArchive {
  /** A copy of the first `length` stamps. */
  keep(stamps: Float64Array, length: number): Float64Array;
}

const FIRST_LENGTH = 256;
/** 512 KiB: many answers share one piece of memory. */
const BLOCK_LENGTH = 65_536;

/**
 * A growing log in memory outside of V8's heap. With the stamps of all streams on the heap, every scavenge copies
 * them, and nothing is read meanwhile (up to 11 ms at 512 streams).
 */
export function stampLog(): StampLog {
  let stamps = new Float64Array(FIRST_LENGTH);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(ms) {
      if (length === stamps.length) {
        const larger = new Float64Array(length * 2);
        larger.set(stamps);
        stamps = larger;
      }
      stamps[length] = ms;
      length += 1;
    },
    clear() {
      length = 0;
    },
    keptIn: (archive) => archive.keep(stamps, length),
  };
}

/** Answers get one range after the other of large blocks; a block lives as long as any of its answers. */
export function stampArchive(): StampArchive {
  let block = new Float64Array(0);
  let used = 0;
  return {
    keep(stamps, length) {
      if (used + length > block.length) {
        block = new Float64Array(Math.max(BLOCK_LENGTH, length));
        used = 0;
      }
      const kept = block.subarray(used, used + length);
      for (let at = 0; at < length; at += 1) kept[at] = stamps[at] as number;
      used += length;
      return kept;
    },
  };
}
