import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../src/adapters-http/http-model-stream.ts";
import { AppError } from "../../src/core/app-error.ts";
import type { LoadPoint } from "../../src/measure/load-point.ts";
import { type CertifiedWork, certified } from "../../src/pipeline/certified.ts";
import type { World } from "../../src/pipeline/world.ts";
import type { Certificate } from "../../src/trust/certificate.ts";
import { startTruthServer } from "../../src/truth/truth-server.ts";
import { examplePoint, exampleWorkload } from "../fakes/example-record.ts";
import { fakeConsole } from "../fakes/fake-console.ts";
import { fakeWorld } from "../fakes/fake-world.ts";

const models = httpModelStream();
afterAll(() => models[Symbol.asyncDispose]());

/** What is kept, in order, around a measurement that brings these points. */
async function kept(points: readonly LoadPoint[], world: Partial<World> = {}, work: Partial<CertifiedWork> = {}) {
  const seen: (Certificate | null | "measured")[] = [];
  const result = await certified(
    {
      workloads: [exampleWorkload()],
      seconds: 0.2,
      async measure(onReady) {
        await onReady();
        await onReady();
        seen.push("measured");
        return points;
      },
      keep: (certificate) => void seen.push(certificate),
      ...work,
    },
    {
      ...fakeWorld({}, {}),
      models,
      clock: systemClock,
      loopWatch: null,
      simulated: false,
      machine: { cpu: "a CPU", cores: 2, node: "24.1.0" },
      startTruth: startTruthServer,
      ...world,
    },
  );
  return { ...result, seen };
}

describe("certified()", () => {
  it("certifies before anything is measured, and only once for several workloads", async () => {
    let started = 0;
    const startTruth = () => {
      started += 1;
      return startTruthServer();
    };
    const { seen } = await kept([], { startTruth });
    expect(seen.at(-1)).toBe("measured");
    expect(seen[0]).toMatchObject({
      load: { streams: 12, eventsPerSecond: 1200 },
      machine: { cpu: "a CPU" },
      miscounted: 0,
    });
    expect(started).toBe(1);
  });

  it("makes another certificate for the load that came when it was another one", async () => {
    const { seen, certificate } = await kept([examplePoint({ concurrency: 16, outputTokS: 1600 })]);
    expect(seen.at(-1)).toMatchObject({ load: { streams: 16, eventsPerSecond: 1600 } });
    expect(certificate).toBe(seen.at(-1));
  });

  it.each([
    { title: "when it is told so", world: {}, work: { seconds: 0 } },
    { title: "on the embedded host, which shares the process", world: { simulated: true }, work: {} },
  ])("keeps none $title", async ({ world, work }) => {
    const { certificate } = await kept([examplePoint({ concurrency: 20 })], world, work);
    expect(certificate).toBeNull();
  });

  it("measures without one, and says so, where no truth server can be started", async () => {
    const warned: string[] = [];
    const console = { ...fakeConsole(), warn: (line: string) => void warned.push(line) };
    const failure = new AppError("BENCH_INVALID", { message: "Cannot check this client: no", hint: "none" });
    const { seen } = await kept([], { console, startTruth: () => Promise.reject(failure) });
    expect(seen).toEqual([null, null, "measured"]);
    expect(warned).toEqual(["This client is not certified: Cannot check this client: no"]);
  });
});
