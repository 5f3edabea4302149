import type { LoopHealth } from "../ports/loop-watch.ts";
import { INVALIDATING_WARNING, type LoadPoint } from "./load-point.ts";

/** A loop that is busy for a larger share of the time makes arrivals wait, and their stamps come late. */
const BUSY = 0.8;
/** A loop that is late by more than this share of a gap between chunks blurs the gaps; less than 2 ms it cannot tell. */
const DELAY_SHARE_OF_GAP = 0.05;
const LEAST_DELAY_MS = 2;
/** In a shorter load point a few stalls decide the p99, and V8, which compiles what has just become hot, makes some. */
const LEAST_WATCHED_MS = 5000;

/** Why this process was too busy for what it measured, which makes the load point invalid. */
export function clientWarnings(
  health: LoopHealth,
  { metrics, durationMs, requestRate }: Pick<LoadPoint, "metrics" | "durationMs" | "requestRate">,
): string[] {
  const { loopUtilization, loopDelayP99Ms } = health;
  const gapMs = metrics.chunkGapMs?.p50 ?? null;
  const warnings: string[] = [];
  // An open loop turns while it waits for the next arrival: busy, but free for whatever comes.
  if (requestRate === null && loopUtilization > BUSY) {
    const share = `${(loopUtilization * 100).toFixed(0)} % of the time`;
    warnings.push(`this client was busy for ${share}, at most ${BUSY * 100} % is fit for measuring`);
  }
  const isLate = gapMs !== null && loopDelayP99Ms > Math.max(LEAST_DELAY_MS, gapMs * DELAY_SHARE_OF_GAP);
  if (isLate && durationMs >= LEAST_WATCHED_MS) {
    const late = `${loopDelayP99Ms.toFixed(1)} ms late (p99)`;
    warnings.push(`this client's event loop was ${late} where chunks come every ${gapMs.toFixed(1)} ms`);
  }
  return warnings.map((warning) => `${INVALIDATING_WARNING}${warning}`);
}
