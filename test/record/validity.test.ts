import { describe, expect, it } from "vitest";
import { validityOf } from "../../src/record/validity.ts";
import type { Certificate } from "../../src/trust/certificate.ts";
import { exampleCertificate } from "../fakes/example-certificate.ts";
import {
  exampleGate,
  examplePoint,
  examplePoints,
  exampleWorkload,
  type PointOverrides,
} from "../fakes/example-record.ts";

function reasons(point: PointOverrides, workload = exampleWorkload({ repeats: 1 }), gate = exampleGate()) {
  return validityOf({ points: [examplePoint(point)], workloads: [workload] }, gate).reasons;
}

describe("validityOf()", () => {
  it("is ok for complete load points with every judged metric", () => {
    expect(validityOf({ points: examplePoints(), workloads: [exampleWorkload()] }, exampleGate())).toEqual({
      ok: true,
      reasons: [],
    });
  });

  it("does not trust points that this client was not certified for, nor a client that failed its check", () => {
    const measured = { points: examplePoints(), workloads: [exampleWorkload()] };
    const of = (certificate: Certificate | null) => validityOf({ ...measured, certificate }, exampleGate()).reasons;
    expect(of(exampleCertificate())).toEqual([]);
    expect(of(null), "not certified is no reason").toEqual([]);
    expect(of(exampleCertificate({ load: { streams: 4, eventsPerSecond: 4000 } }))[0]).toMatch(
      /^12 streams and 436 events\/s were measured, this client is certified for 4 streams/,
    );
    expect(of(exampleCertificate({ problems: ["TTFT error p99 3.2 ms, over 1 ms"] }))).toHaveLength(1);
  });

  const bad: { name: string; point: PointOverrides; want: string }[] = [
    {
      name: "too few answers, with how the others ended",
      point: {
        outcomes: { ok: 90, connect: 4, stall_timeout: 2 },
        metrics: { successRatio: 90 / 96, outputTokens: 90 * 512 },
      },
      want: "chat c=12 repeat 1: 93.75 % of 96 requests succeeded (4 connect, 2 stall_timeout), 99 % wanted",
    },
    {
      name: "a throughput of zero",
      point: { metrics: { outputTokS: 0 } },
      want: "chat c=12 repeat 1: output_tok_s is 0, a positive number is wanted",
    },
    {
      name: "a throughput that is not a number",
      point: { metrics: { outputTokS: Number.NaN } },
      want: "chat c=12 repeat 1: output_tok_s is NaN, a positive number is wanted",
    },
    {
      name: "a missing latency",
      point: { metrics: { tpotMs: null } },
      want: "chat c=12 repeat 1: tpot_p50_ms is missing, a positive number is wanted",
    },
    {
      name: "tokens that the server did not produce",
      point: { metrics: { outputTokens: 48_000 } },
      want: "chat c=12 repeat 1: 48000 output tokens from 96 requests, 49152 wanted with ignore-eos",
    },
    {
      name: "a warning of the client that invalidates",
      point: { warnings: ["Invalid: the client was busy 97 % of the time"] },
      want: "chat c=12 repeat 1: Invalid: the client was busy 97 % of the time",
    },
  ];
  it.each(bad)("refuses $name", ({ point, want }) => {
    expect(reasons(point)).toEqual([want]);
  });

  it("accepts a token count that is off by no more than 1 %", () => {
    expect(reasons({ metrics: { outputTokens: 49_152 - 491 } })).toEqual([]);
  });

  it("does not count tokens when the server may stop early", () => {
    expect(reasons({ metrics: { outputTokens: 31_000 } }, exampleWorkload({ repeats: 1, ignoreEos: false }))).toEqual(
      [],
    );
  });

  it("does not ask for metrics that no rule judges", () => {
    const gate = exampleGate({ rules: [{ metric: "output_tok_s", deltaPct: 3, budgetPct: 5, floor: null }] });
    expect(reasons({ ttftMs: null }, exampleWorkload({ repeats: 1 }), gate)).toEqual([]);
  });

  it("ordinary warnings do not invalidate", () => {
    expect(reasons({ warnings: ["n is too small for p95"] })).toEqual([]);
  });

  it("refuses an empty run and one that skipped a level", () => {
    expect(validityOf({ points: [], workloads: [] }, exampleGate()).reasons).toEqual(["No load point was measured"]);
    const workloads = [exampleWorkload({ concurrency: [1, 12] })];
    expect(validityOf({ points: examplePoints(), workloads }, exampleGate()).reasons).toEqual([
      "chat: 3 of 6 load points were measured",
    ]);
  });
});
