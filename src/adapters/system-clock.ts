import type { Clock } from "../ports/clock.ts";

/** The machine's own clock. `nowMs` is CLOCK_MONOTONIC with the nanoseconds after the point. */
export const systemClock: Clock = {
  nowMs: () => Number(process.hrtime.bigint()) / 1e6,
  isoNow: () => new Date().toISOString(),
  async sleep(ms, signal) {
    const until = systemClock.nowMs() + ms;
    for (let left = ms; left > 0 && !signal?.aborted; left = until - systemClock.nowMs()) {
      await oneTimer(Math.min(left, LONGEST_TIMER_MS), signal);
    }
  },
};

/** Node turns a longer timer into one of 1 ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

function oneTimer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}
