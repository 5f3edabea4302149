import { describe, expect, it } from "vitest";
import type { RequestTrace } from "../../src/measure/load-point.ts";
import { plateauOf } from "../../src/measure/plateau.ts";
import { requestTrace } from "../fakes/request-trace.ts";

/** Answers of 200 ms with 11 tokens, back to back, by users that start at the given times. */
function closedLoop(starts: readonly number[], rounds: number): RequestTrace[] {
  return starts.flatMap((start) =>
    Array.from({ length: rounds }, (_, round) => {
      const sentMs = start + round * 200;
      return requestTrace({ sentMs, ttftMs: 100, itlMs: 10, tokens: 11, endMs: sentMs + 200 });
    }),
  );
}

describe("plateauOf()", () => {
  it("begins when the level is reached and ends when it is left for good", () => {
    const plateau = plateauOf(closedLoop([0, 50, 150], 10), 3);
    // The last user starts at 150, the first one ends at 2000.
    expect(plateau).toMatchObject({ fromMs: 150, durationMs: 1850 });
    expect(plateau?.ttftMs?.p50).toBe(100);
    // Three users bring 11 tokens every 200 ms.
    expect(plateau?.outputTokS).toBeGreaterThan(160);
    expect(plateau?.outputTokS).toBeLessThan(170);
    expect(plateau?.requestS).toBeCloseTo(15, 0);
  });

  it("is not ended by the moment between two requests of a user", () => {
    const traces = closedLoop([0], 10).map((trace, at) => ({ ...trace, sentMs: trace.sentMs + (at > 0 ? 0.1 : 0) }));
    expect(plateauOf(traces, 1)).toMatchObject({ fromMs: 0, durationMs: 2000 });
  });

  it("runs from the first complete answer to the last arrival in an open loop", () => {
    const traces = Array.from({ length: 40 }, (_, at) =>
      requestTrace({ sentMs: at * 50, ttftMs: 100, endMs: at * 50 + 150 }),
    );
    expect(plateauOf(traces, null)).toMatchObject({ fromMs: 150, durationMs: 39 * 50 - 150 });
  });

  it("is null when the level is never reached, when it is too short, and without answers", () => {
    expect(plateauOf(closedLoop([0, 50], 10), 4)).toBeNull();
    expect(plateauOf(closedLoop([0, 50], 2), 2)).toBeNull();
    expect(plateauOf([], 1)).toBeNull();
    expect(plateauOf([requestTrace({ outcome: "reset" })], 1)).toBeNull();
  });

  it("uses the server's count of each chunk where there is one", () => {
    const counted = closedLoop([0], 10).map((trace) => ({ ...trace, chunkTokens: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10] }));
    expect(plateauOf(counted, 1)?.outputTokS).toBeCloseTo(55, 6);
    const uncounted = counted.map((trace) => ({ ...trace, outputTokens: null, chunkTokens: null }));
    expect(plateauOf(uncounted, 1)).toMatchObject({ outputTokS: null, requestS: 5 });
  });
});
