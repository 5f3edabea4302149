import type { Clock } from "../../src/ports/clock.ts";

/** A clock that only moves when someone sleeps or calls `advance`. */
export class FakeClock implements Clock {
  #nowMs = 0;
  readonly #epochMs: number;
  /** Every sleep asked for, in order. */
  readonly sleeps: number[] = [];

  constructor(startIso = "2026-01-01T00:00:00.000Z") {
    this.#epochMs = Date.parse(startIso);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  isoNow(): string {
    return new Date(this.#epochMs + this.#nowMs).toISOString();
  }

  /** Advances the time at once; an aborted signal means no time passes. */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    this.sleeps.push(ms);
    this.advance(ms);
    // A real sleep lets other work run; without this a polling loop would starve everything else.
    await new Promise((resolve) => setImmediate(resolve));
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}
