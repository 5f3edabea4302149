import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";

describe("systemClock", () => {
  it("never goes back, and has more than millisecond resolution", () => {
    const readings = Array.from({ length: 1_000 }, () => systemClock.nowMs());
    expect(readings.every((now, index) => index === 0 || now >= (readings[index - 1] ?? 0))).toBe(true);
    expect(readings.some((now) => !Number.isInteger(now))).toBe(true);
  });

  it("sleeps no shorter than asked", async () => {
    const before = systemClock.nowMs();
    await systemClock.sleep(20);
    expect(systemClock.nowMs() - before).toBeGreaterThanOrEqual(20);
  });

  it("wakes at once when the signal aborts, also from a sleep longer than any timer", async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(Number.POSITIVE_INFINITY, stop.signal);
    stop.abort();
    await sleeping;
    await systemClock.sleep(60_000, AbortSignal.abort());
    expect(stop.signal.aborted).toBe(true);
  });

  it("gives the wall clock in UTC", () => {
    expect(systemClock.isoNow()).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});
