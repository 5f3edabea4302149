import type { OpenAiChunk } from "./openai-chunk.ts";
import { type StampArchive, stampLog } from "./stamps.ts";

/** When the events of an answer came. Times are the arrival of the bytes, monotonic milliseconds. */
export interface EventTimes {
  readonly firstEventMs: number | null;
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  readonly firstVisibleMs: number | null;
  readonly chunkMs: Float64Array;
  /** Counted events that came in the same read as the one before. */
  readonly coalesced: number;
}

/** Where the times are: as plain variables each of them would be a new object on the heap. */
const [NOW, FIRST_EVENT, FIRST_VISIBLE, LAST] = [0, 1, 2, 3] as const;

/** Counts the events of one answer after the other. */
export function eventTally(archive: StampArchive) {
  const stamps = stampLog();
  const at = new Float64Array(4).fill(Number.NaN);
  let events = 0;
  let coalesced = 0;
  return {
    /** The events from now on came at this time. */
    setTime(atMs: number): void {
      at[NOW] = atMs;
    },
    /** An event of any kind came. */
    note(): void {
      events += 1;
      if (events === 1) at[FIRST_EVENT] = at[NOW] as number;
    },
    /** The event that came counts. */
    count(carries: OpenAiChunk["carries"]): void {
      const nowMs = at[NOW] as number;
      if (carries === "visible" && Number.isNaN(at[FIRST_VISIBLE])) at[FIRST_VISIBLE] = nowMs;
      // Every read has a stamp of its own.
      if (nowMs === at[LAST]) coalesced += 1;
      at[LAST] = nowMs;
      stamps.push(nowMs);
    },
    events: () => events,
    counted: () => stamps.length,
    found(): EventTimes {
      const chunkMs = stamps.keptIn(archive);
      return {
        firstEventMs: known(at[FIRST_EVENT]),
        firstMs: chunkMs[0] ?? null,
        lastMs: known(at[LAST]),
        firstVisibleMs: known(at[FIRST_VISIBLE]),
        chunkMs,
        coalesced,
      };
    },
    reset(): void {
      stamps.clear();
      at.fill(Number.NaN);
      events = 0;
      coalesced = 0;
    },
  };
}

function known(ms: number | undefined): number | null {
  return ms === undefined || Number.isNaN(ms) ? null : ms;
}
