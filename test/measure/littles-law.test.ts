import { describe, expect, it } from "vitest";
import { littlesLawOf } from "../../src/measure/littles-law.ts";
import { requestTrace } from "../fakes/request-trace.ts";

/** A request that is in the system from `startMs` for `ms`. */
const stay = (startMs: number, ms: number) => requestTrace({ sentMs: startMs, endMs: startMs + ms });

describe("littlesLawOf()", () => {
  it("holds for a closed loop that keeps four in flight", () => {
    const traces = Array.from({ length: 40 }, (_, at) => stay(1000 + Math.floor(at / 4) * 90, 90));
    expect(littlesLawOf(traces, { fromMs: 1000, toMs: 1900 }, false)).toEqual({
      inFlight: 4,
      predicted: expect.closeTo(4, 9),
      atStart: 4,
      atEnd: 0,
      tolerance: 0.1,
      holds: true,
    });
  });

  it("does not hold while more arrive than are answered", () => {
    // One arrives every 10 ms and one is answered every 20 ms, so request i stays 100 + 10 x i ms.
    const traces = Array.from({ length: 400 }, (_, at) => stay(1000 + at * 10, 100 + at * 10));
    const law = littlesLawOf(traces, { fromMs: 1100, toMs: 5000 }, true);
    expect(law?.holds).toBe(false);
    expect(law).toMatchObject({ atStart: 10, atEnd: 204 });
    expect((law?.predicted ?? 0) / (law?.inFlight ?? 1)).toBeCloseTo(0.5, 1);
  });

  it("allows a short open loop what chance does to it, and a short closed loop a wave", () => {
    const traces = Array.from({ length: 8 }, (_, at) => stay(1000 + at * 100, 300));
    expect(littlesLawOf(traces, { fromMs: 1300, toMs: 1700 }, true)?.tolerance).toBeGreaterThan(0.5);
    expect(littlesLawOf(traces, { fromMs: 1300, toMs: 1900 }, false)?.tolerance).toBe(0.5);
  });

  it("counts requests that failed, and says nothing when none ended", () => {
    const traces = [requestTrace({ sentMs: 0, endMs: 100, outcome: "reset" }), stay(100, 100)];
    expect(littlesLawOf(traces, { fromMs: 0, toMs: 200 }, false)).toMatchObject({ inFlight: 1, predicted: 1 });
    expect(littlesLawOf(traces, { fromMs: 10, toMs: 20 }, false)).toBeNull();
  });
});
