import { describe, expect, it } from "vitest";
import { runWorkload } from "../../src/bench/run-workload.ts";
import type { SweepSpec, Workload } from "../../src/config/run-config.ts";
import type { LoadPoint } from "../../src/measure/load-point.ts";
import { sweepState } from "../../src/study/sweep.ts";
import { sweepResult } from "../../src/study/sweep-result.ts";
import { VirtualClock } from "../fakes/virtual-clock.ts";
import { VirtualModel, type VirtualModelOptions } from "../fakes/virtual-model.ts";

const UP: SweepSpec = { of: "concurrency", from: 1, to: 256, minGainPct: 5, goodPct: 90, refinements: 3 };

type Swept = Workload & { readonly sweep: SweepSpec };

function workload(sweep: Partial<SweepSpec> = {}, changed: Partial<Workload> = {}): Swept {
  const spec = { ...UP, ...sweep };
  return {
    name: "chat",
    endpoint: "/v1/completions",
    inputTokens: 8,
    outputTokens: 5,
    concurrency: [spec.of === "rate" ? 1 : spec.from],
    requestRate: spec.of === "rate" ? spec.from : null,
    requestsPerLevel: 40,
    repeats: 1,
    warmupWaves: 0,
    seed: 7,
    ignoreEos: true,
    temperature: 0,
    stallTimeoutMs: 60_000,
    totalTimeoutMs: 120_000,
    ...changed,
    sweep: spec,
  };
}

/** Sweeps a server in virtual time: an answer takes 90 ms, and it works on `slots` at once. */
async function sweep(swept: Swept, model: VirtualModelOptions = {}) {
  using clock = new VirtualClock();
  const points: LoadPoint[] = [];
  await runWorkload({
    workload: swept,
    baseUrl: "http://model",
    model: "m",
    apiKey: null,
    models: new VirtualModel(clock, { slots: 8, ...model }),
    clock,
    signal: new AbortController().signal,
    nextLevel: (measured) => sweepState(swept, measured).next,
    onPoint: (point) => {
      points.push(point);
    },
  });
  const result = sweepResult(swept, points);
  if (result === null) throw new Error("The sweep measured nothing");
  return { points, result };
}

const levels = (points: readonly LoadPoint[]) =>
  points.map(({ concurrency, requestRate }) => requestRate ?? concurrency);

describe("a sweep of concurrency", () => {
  it("doubles until throughput no longer grows, then looks in between, and ends", async () => {
    const { points, result } = await sweep(workload());
    expect(levels(points)).toEqual([1, 2, 4, 8, 16, 12, 10, 9]);
    expect(result).toMatchObject({ isFinished: true, best: { level: 8 }, broken: { level: 9 } });
    // 8 at once of 90 ms each with 5 tokens.
    expect(result.best?.outputTokS).toBeCloseTo((8 * 5) / 0.09, 6);
    expect(result.best).toMatchObject({ inFlight: 8, predictedInFlight: expect.closeTo(8, 6) });
    expect(result.sentence).toBe(
      "chat holds 8 requests in flight (444.4 tok/s, 88.89 req/s); at 9 throughput changed by 0.0 % over 8, +0.8 % are wanted",
    );
  });

  it("stops at the SLO, whatever throughput does", async () => {
    // What is in flight beyond 8 waits 90 ms for a place.
    const { result } = await sweep(workload({}, { slo: { ttftMs: 60 } }));
    expect(result.best?.level).toBe(8);
    expect(result.broken?.because).toMatch(/^[\d.]+ % of the requests keep the SLO, 90 % are wanted$/);
    expect(result.sentence).toContain("chat holds 8 requests in flight with TTFT <= 60 ms for 90 % of the requests");
  });

  it("stops at failures and says which", async () => {
    const fate = (arrival: number) => (arrival > 100 && arrival % 5 === 0 ? "refuse" : "answer");
    const { result } = await sweep(workload({ refinements: 0 }), { fate });
    expect(result.best?.level).toBe(2);
    expect(result.sentence).toContain("; at 4 4 of 40 requests failed (4 http_5xx)");
  });

  it("measures a level again that could not be measured, but not for ever", async () => {
    const swept = workload({ to: 4 });
    const { points } = await sweep(swept);
    const [one, two] = points as [LoadPoint, LoadPoint];
    const late = { ...two, warnings: ["Invalid: requests went out 9.0 ms late (p99), 5.0 ms are allowed"] };
    const next = (...measured: LoadPoint[]) => sweepState(swept, measured).next;
    expect(next(one, late)).toMatchObject({ concurrency: 2, repeat: 1 });
    expect(next(one, late, late)).toMatchObject({ concurrency: 2, repeat: 2 });
    expect(next(one, late, late, two)).toMatchObject({ concurrency: 4, repeat: 0 });
    expect(next(one, late, late, late)).toBeNull();
    expect(sweepResult(swept, [one, late, late, late])?.sentence).toContain(
      "at 2 it could not be measured: requests went out 9.0 ms late",
    );
  });

  it("ends at the highest level that may be tried", async () => {
    const { points, result } = await sweep(workload({ from: 1, to: 6 }));
    expect(levels(points)).toEqual([1, 2, 4, 6]);
    expect(result.sentence).toMatch(/^chat holds 6 requests in flight \(.*\), the highest level that was tried$/);
  });

  it("says so when not even the first level holds", async () => {
    const { points, result } = await sweep(workload({ from: 4 }, { slo: { ttftMs: 1 } }));
    expect(levels(points)).toEqual([4]);
    expect(result.sentence).toBe(
      "chat does not hold even 4 requests in flight with TTFT <= 1 ms for 90 % of the requests: 0.0 % of the requests keep the SLO, 90 % are wanted",
    );
  });

  it("measures each level as often as it is told before it judges it", async () => {
    const { points } = await sweep(workload({ refinements: 1 }, { repeats: 2 }));
    expect(points.map(({ concurrency, repeat }) => `${concurrency}/${repeat}`)).toEqual(
      [1, 2, 4, 8, 16, 12].flatMap((level) => [`${level}/0`, `${level}/1`]),
    );
  });

  it("sends enough requests for a level to settle", async () => {
    const { points } = await sweep(workload({ refinements: 0 }));
    expect(points.map(({ requests }) => requests)).toEqual([40, 40, 40, 40, 80]);
  });

  it("marks its points, so that nobody compares them one by one", async () => {
    const { points } = await sweep(workload({ to: 2 }));
    expect(points.map(({ sweep: mark }) => mark)).toEqual([true, true]);
  });

  it("says that it was cut off when points are missing", async () => {
    const swept = workload();
    const { points } = await sweep(swept);
    expect(sweepResult(swept, points.slice(0, 3))).toMatchObject({
      isFinished: false,
      best: { level: 4 },
      sentence: expect.stringMatching(/the highest level that was tried \(the sweep was cut off\)$/),
    });
    expect(sweepResult(swept, [])).toBeNull();
  });
});

describe("a sweep of rates", () => {
  it("finds the rate at which requests begin to pile up", async () => {
    const swept = workload({ of: "rate", from: 20, to: 1000 }, { arrivals: "constant", requestsPerLevel: 200 });
    const { points, result } = await sweep(swept);
    expect(levels(points)).toEqual([20, 40, 80, 160, 113, 95.1, 87.2]);
    // The server can do 8 / 0.09 s = 88.9 requests per second.
    expect(result.best?.level).toBe(87.2);
    expect(result.broken).toMatchObject({ level: 95.1 });
    expect(result.sentence).toMatch(
      /^chat holds 87.2 requests per second \(.*\); at 95.1 requests pile up: \d+ in flight at first, \d+ in the end$/,
    );
  });

  it("makes a level as long as answers below it need, not as those of a full queue took", async () => {
    const swept = workload({ of: "rate", from: 20, to: 1000 }, { arrivals: "constant", requestsPerLevel: 40 });
    const { points } = await sweep(swept);
    // Six answers of 90 ms at each rate; with 160 per second answers take half a second.
    expect(points.map(({ requestRate, requests }) => [requestRate, requests]).slice(0, 5)).toEqual([
      [20, 40],
      [40, 40],
      [80, Math.max(40, Math.ceil(80 * 6 * 0.09))],
      [160, Math.ceil(160 * 6 * 0.09)],
      [113, Math.ceil(113 * 6 * 0.09)],
    ]);
  });

  it("never uses the same prompts at two rates", async () => {
    const { points } = await sweep(workload({ of: "rate", from: 10, to: 20 }, { arrivals: "constant" }));
    expect(new Set(points.map(({ promptsSha256 }) => promptsSha256)).size).toBe(points.length);
  });
});
