import { describe, expect, it } from "vitest";
import { type Phase, phaseProgress } from "../../src/bench/phase-progress.ts";
import { progressLine, progressPanel } from "../../src/bench/progress-text.ts";
import type { Workload } from "../../src/config/run-config.ts";
import { exampleWorkload } from "../fakes/example-record.ts";
import { brokenTrace, requestTrace } from "../fakes/request-trace.ts";

const phase: Phase = { kind: "measure", concurrency: 2, repeat: 0, total: 10, place: { index: 3, of: 9 } };

/** A phase that began at 0, and what is in flight, which tests change. */
function follow(changed: Partial<Workload> = {}, shape: Partial<Phase> = {}) {
  const flight = { size: 0, events: 0 };
  const requests = {
    get size() {
      return flight.size;
    },
    counted: () => flight.events,
  };
  const workload = exampleWorkload({ outputTokens: 100, ...changed });
  return { flight, progress: phaseProgress(workload, { ...phase, ...shape }, requests, 0) };
}

describe("phaseProgress()", () => {
  it("counts the tokens of unfinished answers, and only those of the last five seconds", () => {
    const { flight, progress } = follow();
    flight.size = 2;
    flight.events = 100;
    expect(progress.read(1000).tokS).toBe(100);
    for (let second = 2; second <= 20; second += 1) {
      flight.events += 10;
      progress.read(second * 1000);
    }
    expect(progress.read(20_001).tokS).toBeCloseTo(10, 0);
  });

  it("takes chunks of several tokens for what they hold, once an answer has shown it", () => {
    const { progress } = follow();
    progress.add(requestTrace({ tokens: 100, chunkMs: Float64Array.from({ length: 50 }, (_, at) => at) }));
    expect(progress.read(1000).tokS).toBe(100);
  });

  it("says how long it takes by the part of the answers that has come, before the first one is whole", () => {
    const { flight, progress } = follow();
    expect(progress.read(100).leftMs).toBeNull();
    flight.size = 2;
    flight.events = 100;
    // One of ten answers after a second.
    expect(progress.read(1000).leftMs).toBe(9000);
  });

  it("ends with the time of a load that ends by time", () => {
    const { progress } = follow({ durationMs: 5000 });
    expect(progress.read(2000).leftMs).toBe(3000);
    for (let index = 0; index < 9; index += 1) progress.add(requestTrace());
    expect(progress.read(2700).leftMs).toBe(300);
  });

  it("keeps failed requests out of the medians", () => {
    const { progress } = follow();
    progress.add(requestTrace({ ttftMs: 100, itlMs: 10 }));
    progress.add(brokenTrace());
    expect(progress.read(1000)).toMatchObject({ done: 2, failed: 1, ttftP50Ms: 100, tpotP50Ms: 10 });
  });
});

describe("progressPanel()", () => {
  it("shows load, place, counts, speed and time", () => {
    const { flight, progress } = follow({ repeats: 3 });
    progress.add(requestTrace({ tokens: 100 }));
    flight.size = 2;
    flight.events = 100;
    expect(progressPanel(progress.read(2000))).toEqual([
      "chat c=2  level 3 of 9 (repeat 1 of 3)",
      "  [##..................] 1/10 done, 0 failed, 2 in flight",
      "  100.0 tok/s   TTFT p50 100.0 ms   TPOT p50 10.0 ms",
      "  2 s gone, about 8 s left",
    ]);
  });

  it("says what is not known yet", () => {
    const { progress } = follow({ requestRate: 2.5 }, { kind: "warm-up", place: { index: 4, of: null } });
    expect(progressPanel(progress.read(500))).toEqual([
      "chat 2.5 req/s  level 4, warm-up 1",
      "  [....................] 0/10 done, 0 failed, 0 in flight",
      "  0.0 tok/s   TTFT p50 -   TPOT p50 -",
      "  1 s gone, time left not known yet",
    ]);
    expect(progressLine(progress.read(500))).toContain("time left not known yet");
  });
});
