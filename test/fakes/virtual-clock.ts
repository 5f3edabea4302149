import type { Clock } from "../../src/ports/clock.ts";

interface Timer {
  readonly dueMs: number;
  readonly fire: () => void;
}

/** How far time moves in one turn of the event loop when no timer is due earlier. */
const TURN_MS = 0.5;

/**
 * A clock for code in which several things wait at once: time moves from timer to timer, and only when everything
 * that could run has run. `sleep` and `at` are its timers. Dispose of it, or it keeps turning.
 */
export class VirtualClock implements Clock, Disposable {
  #nowMs = 1000;
  /** Earliest first; of the same time, the first one set. */
  readonly #timers: Timer[] = [];
  #isOver = false;

  constructor() {
    this.#turn();
  }

  nowMs(): number {
    return this.#nowMs;
  }

  isoNow(): string {
    return new Date(Date.UTC(2026, 0, 1) + this.#nowMs).toISOString();
  }

  /** Calls back at an absolute time. Returns how to take it back. */
  at(dueMs: number, fire: () => void): () => void {
    const timer = { dueMs, fire };
    const place = this.#timers.findLastIndex((other) => other.dueMs <= dueMs) + 1;
    this.#timers.splice(place, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at !== -1) this.#timers.splice(at, 1);
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        takeBack();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const takeBack = this.at(this.#nowMs + ms, done);
      signal?.addEventListener("abort", done);
    });
  }

  /** Makes time pass at once, as a long computation does. */
  block(ms: number): void {
    this.#nowMs += ms;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
  }

  #turn(): void {
    setImmediate(() => {
      if (this.#isOver) return;
      const next = this.#timers[0];
      if (next !== undefined && next.dueMs <= this.#nowMs + TURN_MS) {
        this.#timers.shift();
        this.#nowMs = Math.max(this.#nowMs, next.dueMs);
        next.fire();
      } else this.#nowMs += TURN_MS;
      this.#turn();
    });
  }
}
