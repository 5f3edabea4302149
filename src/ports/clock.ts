/** Time, passed in so that tests own it. */
export interface Clock {
  /** Monotonic milliseconds with sub-microsecond resolution (CLOCK_MONOTONIC). Only differences mean anything. */
  nowMs(): number;
  /** Wall clock as ISO 8601 in UTC, for labels only. */
  isoNow(): string;
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
