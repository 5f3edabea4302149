import type { Clock } from "../ports/clock.ts";

/** Timers fire up to about a millisecond late; the rest of the way is taken in turns of the event loop. */
const COARSE_MS = 2;

/** Resolves at `atMs` of the clock to within a fraction of a millisecond, without blocking the event loop. */
export async function waitUntil(clock: Clock, atMs: number, signal: AbortSignal): Promise<void> {
  const coarse = atMs - clock.nowMs() - COARSE_MS;
  if (coarse > 0) await clock.sleep(coarse, signal);
  while (clock.nowMs() < atMs && !signal.aborted) await new Promise((resolve) => setImmediate(resolve));
}
