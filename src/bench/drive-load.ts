import type { Clock } from "../ports/clock.ts";
import type { RequestTrace } from "./load-point.ts";

/** Starts request `index`, due at `scheduledMs` (null: now), and resolves when it is over. */
export type Launch = (index: number, scheduledMs: number | null) => Promise<RequestTrace>;

/** Keeps `concurrency` requests in flight until `count` were started, or until the signal aborts. */
export async function driveClosedLoop(
  load: { readonly count: number; readonly concurrency: number },
  launch: Launch,
  signal: AbortSignal,
): Promise<readonly RequestTrace[]> {
  const traces: RequestTrace[] = [];
  let next = 0;
  async function user(): Promise<void> {
    while (next < load.count && !signal.aborted) {
      const index = next;
      next += 1;
      traces.push(await launch(index, null));
    }
  }
  await Promise.all(Array.from({ length: Math.min(load.concurrency, load.count) }, user));
  return traces;
}

/**
 * Starts request i at `arrivalsMs[i]` after now, whatever became of the others. The schedule is absolute: a late start
 * does not move the ones after it.
 */
export async function driveOpenLoop(
  arrivalsMs: readonly number[],
  launch: Launch,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly RequestTrace[]> {
  const startMs = clock.nowMs();
  const running: Promise<RequestTrace>[] = [];
  for (const [index, offsetMs] of arrivalsMs.entries()) {
    const dueMs = startMs + offsetMs;
    await sleepUntil(dueMs, clock, signal);
    if (signal.aborted) break;
    running.push(launch(index, dueMs));
  }
  return Promise.all(running);
}

/** Timers have whole milliseconds and fire late: the last bit is spent turning the event loop, which keeps reading. */
async function sleepUntil(dueMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const leftMs = dueMs - clock.nowMs();
  if (leftMs > TURNING_MS) await clock.sleep(leftMs - TURNING_MS, signal);
  while (clock.nowMs() < dueMs && !signal.aborted) await new Promise((resolve) => setImmediate(resolve));
}

const TURNING_MS = 1.5;
