import type { LoopHealth } from "../ports/loop-watch.ts";

/** A loop that is busy for a larger share of the time makes arrivals wait, and their stamps come late. */
const BUSY = 0.8;
/** A loop that is late by more than this share of a gap between chunks blurs the gaps; less than 2 ms it cannot tell. */
const DELAY_SHARE_OF_GAP = 0.05;
const LEAST_DELAY_MS = 2;

/** What a user must know when this process was too busy for what it measured. */
export function clientWarnings(health: LoopHealth, medianGapMs: number | null): string[] {
  const { loopUtilization, loopDelayP99Ms } = health;
  const warnings: string[] = [];
  if (loopUtilization > BUSY) {
    const share = `${(loopUtilization * 100).toFixed(0)} % of the time`;
    warnings.push(`this client was busy for ${share}, at most ${BUSY * 100} % is fit for measuring`);
  }
  if (medianGapMs !== null && loopDelayP99Ms > Math.max(LEAST_DELAY_MS, medianGapMs * DELAY_SHARE_OF_GAP)) {
    const late = `${loopDelayP99Ms.toFixed(1)} ms late (p99)`;
    warnings.push(`this client's event loop was ${late} where chunks come every ${medianGapMs.toFixed(1)} ms`);
  }
  return warnings;
}
