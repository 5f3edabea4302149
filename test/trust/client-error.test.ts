import { describe, expect, it } from "vitest";
import type { TruthRequest } from "../../src/ports/truth-server.ts";
import { clientErrorOf } from "../../src/trust/client-error.ts";
import { requestTrace } from "../fakes/request-trace.ts";

/** What was really sent when the client says 5 tokens, the first after 100 ms, then one every 10 ms. */
function truth(changed: Partial<TruthRequest> = {}): TruthRequest {
  return { rid: "arc-1", receivedMs: 1000, firstMs: 1100, lastMs: 1140, tokens: 5, events: 5, ...changed };
}

describe("clientErrorOf()", () => {
  it("finds no error in a client that is right", () => {
    expect(clientErrorOf([requestTrace()], [truth()])).toEqual({
      requests: 1,
      ttftErrorMs: { p50: 0, p99: 0 },
      tpotErrorMs: { p50: 0, p99: 0 },
      miscounted: 0,
    });
  });

  it.each([
    { title: "sends late", sent: { receivedMs: 1003 }, ttft: 3, tpot: 0 },
    { title: "reads the first token late", sent: { firstMs: 1098 }, ttft: 2, tpot: 0.5 },
    { title: "reads the last token late", sent: { lastMs: 1132 }, ttft: 0, tpot: 2 },
    { title: "claims to be faster than the server was", sent: { firstMs: 1104, lastMs: 1144 }, ttft: 4, tpot: 0 },
  ])("counts it as an error when a client $title", ({ sent, ttft, tpot }) => {
    const { ttftErrorMs, tpotErrorMs } = clientErrorOf([requestTrace()], [truth(sent)]);
    expect(ttftErrorMs?.p99).toBeCloseTo(ttft, 6);
    expect(tpotErrorMs?.p99).toBeCloseTo(tpot, 6);
  });

  it("does not count the wait for a schedule as an error", () => {
    const { ttftErrorMs } = clientErrorOf([requestTrace({ scheduledMs: 900 })], [truth()]);
    expect(ttftErrorMs?.p99).toBe(0);
  });

  it.each([
    { title: "a lost token", sent: { tokens: 6 } },
    { title: "two events taken for one", sent: { events: 6 } },
    { title: "a request that the server never saw", sent: { rid: "another" } },
  ])("counts $title as miscounted", ({ sent }) => {
    expect(clientErrorOf([requestTrace()], [truth(sent)]).miscounted).toBe(1);
  });

  it("counts a complete answer that was booked as failed", () => {
    expect(clientErrorOf([requestTrace({ outcome: "reset" })], [truth()]).miscounted).toBe(1);
  });

  it("knows nothing when nothing can be compared", () => {
    expect(clientErrorOf([], [])).toEqual({ requests: 0, ttftErrorMs: null, tpotErrorMs: null, miscounted: 0 });
  });
});
