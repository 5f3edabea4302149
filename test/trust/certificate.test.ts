import { describe, expect, it } from "vitest";
import type { Workload } from "../../src/config/run-config.ts";
import { certificateProblems } from "../../src/trust/certificate.ts";
import { expectedLoad, producedLoad } from "../../src/trust/client-load.ts";
import { exampleCertificate } from "../fakes/example-certificate.ts";
import { examplePoint, exampleWorkload } from "../fakes/example-record.ts";

describe("certificateProblems()", () => {
  it("has nothing against a load within the certified one", () => {
    expect(certificateProblems(exampleCertificate(), [examplePoint({ concurrency: 12 })])).toEqual([]);
  });

  it.each([
    {
      title: "more streams",
      point: examplePoint({ concurrency: 16 }),
      says: "16 streams and 438 events/s were measured, this client is certified for 12 streams and 1,200 events/s",
    },
    {
      title: "more events",
      point: examplePoint({ outputTokS: 1300 }),
      says: "12 streams and 1,300 events/s were measured, this client is certified for 12 streams and 1,200 events/s",
    },
  ])("names the load when there were $title than certified", ({ point, says }) => {
    expect(certificateProblems(exampleCertificate(), [examplePoint(), point, point])).toEqual([says]);
  });

  it("says why the check failed, whatever was measured", () => {
    const failed = exampleCertificate({ problems: ["TTFT error p99 3.20 ms, over 1 ms"] });
    expect(certificateProblems(failed, [])).toEqual([
      "this client cannot be trusted with 12 streams and 1,200 events/s: TTFT error p99 3.20 ms, over 1 ms",
    ]);
  });

  it("holds several tokens in one event for one event, as a client has to follow events", () => {
    const point = examplePoint({ outputTokS: 2000, metrics: { tokensPerChunk: 2 } });
    expect(certificateProblems(exampleCertificate(), [point])).toEqual([]);
  });
});

describe("producedLoad()", () => {
  it("counts what is in flight of an open loop by Little's law", () => {
    const point = examplePoint({
      requestRate: 5,
      concurrency: 1,
      metrics: { requestS: 4, e2eMs: { n: 1, mean: 2500, p50: 2500, p90: null, p95: null, p99: null, min: 1, max: 1 } },
    });
    expect(producedLoad(point)?.streams).toBe(10);
  });

  it("is not known when the tokens are not", () => {
    expect(producedLoad(examplePoint({ outputTokS: null }))).toBeNull();
  });
});

describe("expectedLoad()", () => {
  const workload = (changed: Partial<Workload>): Workload => ({
    ...exampleWorkload(),
    requestsPerLevel: 9999,
    ...changed,
  });

  it.each([
    { title: "one user", workloads: [workload({ concurrency: [1] })], load: { streams: 10, eventsPerSecond: 1000 } },
    {
      title: "the largest level of all workloads",
      workloads: [workload({ concurrency: [1, 64] }), workload({ concurrency: [32] })],
      load: { streams: 64, eventsPerSecond: 6400 },
    },
    {
      title: "no more streams than requests",
      workloads: [workload({ concurrency: [512], requestsPerLevel: 20 })],
      load: { streams: 20, eventsPerSecond: 2000 },
    },
    {
      title: "more than a host brings",
      workloads: [workload({ concurrency: [512] })],
      load: { streams: 512, eventsPerSecond: 20_000 },
    },
    {
      title: "an open loop with a cap",
      workloads: [workload({ requestRate: 100, maxConcurrency: 40, concurrency: [1] })],
      load: { streams: 40, eventsPerSecond: 4000 },
    },
  ])("is as large for $title as it can become", ({ workloads, load }) => {
    expect(expectedLoad(workloads)).toEqual(load);
  });
});
