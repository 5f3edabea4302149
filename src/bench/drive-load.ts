import type { RequestTrace } from "../measure/load-point.ts";
import type { Clock } from "../ports/clock.ts";
import type { Due } from "./start-request.ts";

/** Starts request `index` and resolves when it is over. */
export type Launch = (index: number, due: Due) => Promise<RequestTrace>;

/** When a load ends by itself. */
export interface LoadEnd {
  /** At most so many requests. */
  readonly count: number;
  /** No request starts later than this after the first; null: only the count ends it. */
  readonly durationMs: number | null;
}

const NOW: Due = { scheduledMs: null, queuedMs: 0 };

/** Keeps `concurrency` requests in flight until the load ends or the signal aborts. */
export async function driveClosedLoop(
  load: LoadEnd & { readonly concurrency: number },
  launch: Launch,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly RequestTrace[]> {
  const traces: RequestTrace[] = [];
  const untilMs = load.durationMs === null ? Number.POSITIVE_INFINITY : clock.nowMs() + load.durationMs;
  let next = 0;
  async function user(): Promise<void> {
    while (next < load.count && clock.nowMs() < untilMs && !signal.aborted) {
      const index = next;
      next += 1;
      traces.push(await launch(index, NOW));
    }
  }
  await Promise.all(Array.from({ length: Math.min(load.concurrency, load.count) }, user));
  return traces;
}

/**
 * Starts request i at `arrivalsMs[i]` after now, whatever became of the others. The schedule is absolute: a late start
 * does not move the ones after it. With a cap, a request that is due waits until fewer than `maxConcurrency` are in
 * flight, in the order of the schedule, and its latency counts the wait.
 */
export async function driveOpenLoop(
  load: { readonly arrivalsMs: readonly number[]; readonly maxConcurrency: number | null },
  launch: Launch,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly RequestTrace[]> {
  const startMs = clock.nowMs();
  const slots = slotsFor(load.maxConcurrency ?? Number.POSITIVE_INFINITY);
  const running: Promise<RequestTrace>[] = [];
  /** When the cap last let a request go that had to wait: those that were due before then waited behind it. */
  let freedMs = startMs;
  for (const [index, offsetMs] of load.arrivalsMs.entries()) {
    const scheduledMs = startMs + offsetMs;
    await sleepUntil(scheduledMs, clock, signal);
    if (await slots.take()) freedMs = clock.nowMs();
    if (signal.aborted) break;
    const queuedMs = Math.max(0, freedMs - scheduledMs);
    running.push(launch(index, { scheduledMs, queuedMs }).finally(slots.give));
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

function slotsFor(limit: number) {
  let taken = 0;
  let waiting: (() => void) | null = null;
  return {
    /** Resolves when a slot is free, with whether that took waiting. One caller at a time. */
    async take(): Promise<boolean> {
      const hadToWait = taken >= limit;
      if (hadToWait) {
        await new Promise<void>((resolve) => {
          waiting = resolve;
        });
      }
      taken += 1;
      return hadToWait;
    },
    give(): void {
      taken -= 1;
      waiting?.();
      waiting = null;
    },
  };
}
