import type { RequestTrace } from "../measure/load-point.ts";
import type { Clock } from "../ports/clock.ts";
import type { StartedRequest } from "./start-request.ts";

/** The requests that are under way, watched for their limits. */
export interface InFlight {
  readonly size: number;
  /** Events that carry something and have come so far, of all of them. */
  counted(): number;
  /** Resolves with the trace when the request is over. */
  watch(request: StartedRequest): Promise<RequestTrace>;
  cancelAll(): void;
  /** Stops watching; nothing may be in flight any more. */
  stop(): void;
}

/**
 * One watchdog for all requests: it sleeps until the earliest limit. `shortestLimitMs` is the least time after which
 * a request that starts later can reach a limit.
 */
export function inFlight(clock: Clock, shortestLimitMs: number): InFlight {
  const requests = new Set<StartedRequest>();
  const stopped = new AbortController();
  void watchLimits();

  async function watchLimits(): Promise<void> {
    while (!stopped.signal.aborted) {
      const nowMs = clock.nowMs();
      let dueMs = nowMs + shortestLimitMs;
      for (const request of requests) dueMs = Math.min(dueMs, request.enforceLimits(nowMs));
      await clock.sleep(Math.max(1, dueMs - nowMs), stopped.signal);
    }
  }

  return {
    get size() {
      return requests.size;
    },
    counted: () => [...requests].reduce((sum, request) => sum + request.counted(), 0),
    async watch(request) {
      requests.add(request);
      const trace = await request.done;
      requests.delete(request);
      return trace;
    },
    cancelAll() {
      for (const request of requests) request.cancel();
    },
    stop: () => stopped.abort(),
  };
}
