/** Points in time, in order. */
export interface TimeLog {
  readonly length: number;
  push(ms: number): void;
  /** Everything so far; the log must not be used afterwards. */
  take(): Float64Array;
}

/** More than this is not set aside before it is needed. */
const MOST_AT_FIRST = 4096;

/**
 * A log in memory outside of V8's heap: with the stamps of all streams on the heap, every scavenge copies them, and
 * nothing is read meanwhile (up to 11 ms at 512 streams). `expected` is how many will come, as far as that is known.
 */
export function timeLog(expected: number): TimeLog {
  let times = new Float64Array(Math.max(16, Math.min(expected, MOST_AT_FIRST)));
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(ms) {
      if (length === times.length) {
        const larger = new Float64Array(length * 2);
        larger.set(times);
        times = larger;
      }
      times[length] = ms;
      length += 1;
    },
    take: () => times.subarray(0, length),
  };
}
