import { describe, expect, it } from "vitest";
import { score } from "../../bench/client/score.ts";
import { exactClaim, truthRequest } from "./truth-request.ts";

describe("score()", () => {
  it("finds no error in a client that is right", () => {
    const { ttft, tpot, e2e, gap, wrongTokens, falseOk, falseFailure } = score([exactClaim()], [truthRequest()], 1);
    expect([ttft, tpot, e2e, gap].map((spread) => spread?.max)).toEqual([0, 0, 0, 0]);
    expect([wrongTokens, falseOk, falseFailure]).toEqual([0, 0, 0]);
  });

  it("gives the error of each figure in ms, with its sign in the bias", () => {
    const claim = exactClaim({ ttftMs: 203, tpotMs: 9.5, e2eMs: 230.25 });
    const { ttft, tpot, e2e } = score([claim], [truthRequest()], 1);
    expect(ttft).toMatchObject({ bias: 3, max: 3 });
    expect(tpot).toMatchObject({ bias: -0.5, max: 0.5 });
    expect(e2e?.bias).toBeCloseTo(0.25);
  });

  it("counts the time before the first byte left as an error of the client's TTFT", () => {
    const late = truthRequest({ firstByteNs: 1_005_000_000 });
    // The client started at 1.000 s, its bytes arrived at 1.005 s, and the token came 200 ms after that.
    const { ttft } = score([exactClaim({ ttftMs: 205 })], [late], 1);
    expect(ttft?.max).toBeCloseTo(5);
  });

  it("tells bytes that left late from a token that was read late", () => {
    const first = truthRequest({ stream: 0, firstByteNs: 0.5e9 });
    const late = truthRequest({ firstByteNs: 1_005_000_000 });
    const claims = [exactClaim({ stream: 0, startNs: 0.5e9 }), exactClaim({ ttftMs: 208 })];
    const { sendDelay, readDelay } = score(claims, [first, late], 1);
    expect([sendDelay?.bias, readDelay?.bias]).toEqual([expect.closeTo(5), expect.closeTo(3)]);
  });

  it("leaves the first wave out of the second figure only", () => {
    const truths = [0, 1, 2].map((stream) => truthRequest({ stream, firstByteNs: 1e9 + stream * 1e6 }));
    const claims = truths.map(({ stream }) => exactClaim({ stream, ttftMs: stream < 2 ? 290 : 201 }));
    const { ttft, ttftAfterFirstWave } = score(claims, truths, 2);
    expect(ttft?.n).toBe(3);
    expect(ttftAfterFirstWave).toMatchObject({ n: 1, max: 1 });
  });

  it("compares gaps event by event, and not at all when the client saw another number of events", () => {
    const shifted = score([exactClaim({ gapsMs: [12, 8, 10] })], [truthRequest()], 1);
    expect(shifted.gap).toMatchObject({ n: 3, max: 2, bias: 0 });
    expect(score([exactClaim({ gapsMs: [20, 10] })], [truthRequest()], 1).gap).toBeNull();
  });

  it.each([
    ["a broken answer that was booked as complete", "error", true, { falseOk: 1, falseFailure: 0 }],
    ["a reset that was booked as a failure", "reset", false, { falseOk: 0, falseFailure: 0 }],
    ["a complete answer that was booked as a failure", "complete", false, { falseOk: 0, falseFailure: 1 }],
  ] as const)("judges %s", (_title, ending, ok, wanted) => {
    expect(score([exactClaim({ ok })], [truthRequest({ ending })], 1)).toMatchObject(wanted);
  });

  it("keeps failed requests out of the errors", () => {
    const { ttft } = score([exactClaim({ ok: false, ttftMs: 999 })], [truthRequest({ ending: "error" })], 1);
    expect(ttft).toBeNull();
  });

  it.each([
    ["all of them", 4, 0],
    ["too few", 3, 1],
    ["unknown", null, null],
  ])("checks the tokens when the client counted %s", (_title, tokens, wrongTokens) => {
    expect(score([exactClaim({ tokens })], [truthRequest()], 1).wrongTokens).toBe(wrongTokens);
  });

  it("pairs claims without a number by their order", () => {
    const truths = [truthRequest({ stream: 1, firstByteNs: 1e9 }), truthRequest({ stream: 2, firstByteNs: 2e9 })];
    const claims = [
      exactClaim({ stream: null, startNs: 1.9999e9, ttftMs: 202 }),
      exactClaim({ stream: null, startNs: 0.9999e9, ttftMs: 201 }),
    ];
    const { paired, ttft } = score(claims, truths, 1);
    expect(paired).toBe(2);
    expect(ttft?.bias).toBeCloseTo(1.5);
  });

  it("pairs claims by the request id that the client sent", () => {
    const truths = [truthRequest({ stream: 1, rid: "a" }), truthRequest({ stream: 2, rid: "b", firstByteNs: 2e9 })];
    const claims = [exactClaim({ stream: null, rid: "b", startNs: 0, ttftMs: 204 })];
    const { paired, firstRequestNs } = score(claims, truths, 1);
    expect({ paired, firstRequestNs }).toEqual({ paired: 1, firstRequestNs: 2e9 });
  });

  it("leaves a client's own first try unpaired", () => {
    const truths = [truthRequest({ stream: 0, firstByteNs: 0.1e9 }), truthRequest()];
    const { paired, claims, firstContactNs, firstRequestNs } = score([exactClaim()], truths, 1);
    expect({ paired, claims, firstContactNs, firstRequestNs }).toEqual({
      paired: 1,
      claims: 1,
      firstContactNs: 0.1e9,
      firstRequestNs: 1e9,
    });
  });

  it("says how much of the wanted load was there", () => {
    // One stream: the second request starts 230 ms after the end of the first.
    const truths = [truthRequest({ stream: 0 }), truthRequest({ stream: 1, firstByteNs: 1e9 + 460e6 })];
    const claims = truths.map(({ stream, firstByteNs }) => exactClaim({ stream, startNs: firstByteNs }));
    expect(score(claims, truths, 1).inFlightPct).toBeCloseTo(50);
  });

  it("tells equal gaps from those of a Poisson process", () => {
    const truths = Array.from({ length: 500 }, (_, stream) =>
      truthRequest({ stream, firstByteNs: 1e9 + stream * 5e6 }),
    );
    const claims = truths.map(({ stream, firstByteNs }) =>
      exactClaim({ stream, startNs: firstByteNs, scheduledNs: firstByteNs - 2e6 }),
    );
    const { arrivals, lateness, inFlightPct } = score(claims, truths, 0);
    expect(arrivals?.perS).toBeCloseTo(200);
    expect(arrivals?.gapCv).toBeCloseTo(0);
    expect(arrivals?.ks).toBeGreaterThan(arrivals?.ksLimit ?? 1);
    expect(lateness?.p50).toBeCloseTo(2);
    expect(inFlightPct).toBeNull();
  });
});
