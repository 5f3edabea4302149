import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventLoopWatch } from "../../src/adapters/event-loop-watch.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../src/adapters-http/http-model-stream.ts";
import { type RunWorkloadContext, runWorkload } from "../../src/bench/run-workload.ts";
import type { Workload } from "../../src/config/run-config.ts";
import type { LoadPoint } from "../../src/measure/load-point.ts";
import { type FaultServer, startFaultServer } from "../fakes/fault-server.ts";
import { quickWorkload } from "../fakes/quick-workload.ts";

let server: FaultServer;
const models = httpModelStream();

beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(async () => {
  await models[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function workload(changed: Partial<Workload> = {}): Workload {
  const slower = { stallTimeoutMs: 10_000, totalTimeoutMs: 20_000, warmupWaves: 1 };
  return quickWorkload({
    ...slower,
    inputTokens: 16,
    outputTokens: 8,
    concurrency: [1, 4],
    requestsPerLevel: 12,
    ...changed,
  });
}

function run(profile: string, changed: Partial<Workload> = {}, context: Partial<RunWorkloadContext> = {}) {
  return runWorkload({
    workload: workload(changed),
    baseUrl: server.baseUrl,
    model: `m@${profile}`,
    apiKey: null,
    models,
    clock: systemClock,
    signal: new AbortController().signal,
    onPoint: () => {},
    ...context,
  });
}

describe("runWorkload() over httpModelStream()", () => {
  it("measures every level with exact counts", async () => {
    const points = await run("plain", {}, { loopWatch: eventLoopWatch });
    expect(points[0]?.client?.loopUtilization).toBeGreaterThan(0);
    expect(points).toMatchObject([
      { concurrency: 1, requests: 12, outcomes: { ok: 12 }, metrics: { outputTokens: 96, promptTokens: 192 } },
      { concurrency: 4, requests: 12, outcomes: { ok: 12 }, metrics: { outputTokens: 96, promptTokens: 192 } },
    ]);
    // The server's own stamps: its timers may fire early, its answers never reach us before they were written.
    const waited = (await server.read()).requests.flatMap((seen) =>
      seen.firstMs === null ? [] : [seen.firstMs - seen.receivedMs],
    );
    for (const { metrics, warnings } of points) {
      expect(warnings.filter((warning) => !warning.startsWith("this client"))).toEqual([]);
      expect(metrics.ttftMs?.min).toBeGreaterThanOrEqual(Math.min(...waited));
      expect(metrics.tpotMs?.min).toBeGreaterThanOrEqual(2.5);
    }
  });

  it("uses token ids of the server's own tokenizer", async () => {
    await run("plain", { concurrency: [1], requestsPerLevel: 1 });
    const prompt = server.bodies.at(-1)?.["prompt"] as number[];
    expect(prompt).toHaveLength(16);
    expect(prompt.every((id) => id >= 300 && id < 1200)).toBe(true);
  });

  it("sends an open loop by its schedule and never early", async () => {
    const [point] = await run("plain", { requestRate: 200, requestsPerLevel: 100, concurrency: [1], warmupWaves: 0 });
    expect(point).toMatchObject({ requestRate: 200, outcomes: { ok: 100 } });
    expect(point?.metrics.latenessMs?.min).toBeGreaterThanOrEqual(0);
  });

  it.each([
    { profile: "html", code: "ENDPOINT_NOT_OPENAI", says: "the answer is text/html" },
    { profile: "whole-json", code: "ENDPOINT_NOT_OPENAI", says: "the answer is application/json" },
    { profile: "not-there", code: "MODEL_NOT_FOUND", says: "The model `not-there` does not exist." },
    { profile: "404", code: "ENDPOINT_NOT_FOUND", says: "HTTP 404: Not Found" },
    { profile: "401", code: "ENDPOINT_UNAUTHORIZED", says: "HTTP 401: Unauthorized" },
    { profile: "400", code: "BENCH_NO_TOKENS", says: "Token id 99999 is out of vocabulary" },
    { profile: "error-at-once", code: "BENCH_NO_TOKENS", says: "Token id 99999 is out of vocabulary" },
    { profile: "empty", code: "BENCH_NO_TOKENS", says: "the stream ends without an event" },
    { profile: "redirect", code: "ENDPOINT_NOT_OPENAI", says: "HTTP 307" },
  ])("stops with $code when the endpoint answers like $profile", async ({ profile, code, says }) => {
    const points: LoadPoint[] = [];
    const before = server.bodies.length;
    await expect(run(profile, {}, { onPoint: (point) => void points.push(point) })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
    expect(points).toEqual([]);
    expect(server.bodies.length).toBe(before + 1);
  });

  it("stops with ENDPOINT_UNREACHABLE when nobody listens", async () => {
    await expect(run("plain", {}, { baseUrl: "http://127.0.0.1:9" })).rejects.toMatchObject({
      code: "ENDPOINT_UNREACHABLE",
    });
  });

  it.each(["stall", "rst", "503", "429", "midstream-error"])("keeps %s as data and ends", async (profile) => {
    const [point] = await run(profile, { concurrency: [4], requestsPerLevel: 4, warmupWaves: 0, stallTimeoutMs: 300 });
    expect(point).toMatchObject({ requests: 4, metrics: { successRatio: 0, outputTokS: null, ttftMs: null } });
    expect(point?.warnings).toHaveLength(1);
  });

  it("closes every connection of a cancelled run at once", async () => {
    const cancelled = new AbortController();
    const running = run(
      "drip",
      { concurrency: [8], warmupWaves: 0, stallTimeoutMs: 60_000, totalTimeoutMs: 400 },
      {
        signal: cancelled.signal,
        onTrace: () => setTimeout(() => cancelled.abort(), 50),
      },
    );
    await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
    await expect.poll(() => server.aborted()).toBeGreaterThanOrEqual(9);
  });
});
