import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventLoopWatch } from "../../src/adapters/event-loop-watch.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../src/adapters-http/http-model-stream.ts";
import type { ModelStream } from "../../src/ports/model-stream.ts";
import type { TruthServer } from "../../src/ports/truth-server.ts";
import { type CheckClientContext, checkClient } from "../../src/trust/check-client.ts";
import { runFaultCases } from "../../src/trust/run-fault-cases.ts";
import { type LocalTruthServer, startTruthServer } from "../../src/truth/truth-server.ts";

let truth: LocalTruthServer;
const models = httpModelStream();
const LOAD = { streams: 4, eventsPerSecond: 400 };

beforeAll(async () => {
  truth = await startTruthServer();
});
afterAll(async () => {
  await models[Symbol.asyncDispose]();
  await truth[Symbol.asyncDispose]();
});

function context(changed: Partial<CheckClientContext> = {}): CheckClientContext {
  const signal = new AbortController().signal;
  return { truth, models, clock: systemClock, signal, loopWatch: eventLoopWatch, ...changed };
}

/** A client whose stamps come late. */
function lateBy(ms: number): ModelStream {
  return {
    ...models,
    stream: (request, sink) =>
      models.stream(request, {
        ...sink,
        onHeaders: (status, headers, atMs) => sink.onHeaders(status, headers, atMs + ms),
        onData: (bytes, start, end, atMs) => sink.onData(bytes, start, end, atMs + ms),
        onEnd: (atMs) => sink.onEnd(atMs + ms),
        onFailure: (failure, detail, atMs) => sink.onFailure(failure, detail, atMs + ms),
      }),
  };
}

describe("checkClient()", () => {
  it("brings the load that was asked for and counts every request as it was sent", async () => {
    const check = await checkClient(context(), LOAD, 0.5);
    expect(check).toMatchObject({ load: LOAD, miscounted: 0 });
    // The wave that is staggered does not count.
    expect(check.requests).toBeGreaterThanOrEqual(LOAD.streams);
    expect(check.producedEventsPerSecond).toBeGreaterThan(200);
    expect(check.producedEventsPerSecond).toBeLessThan(500);
    expect(check.cpuPerEventUs).toBeGreaterThan(0);
  });

  it("does not trust a client that stamps late", async () => {
    const check = await checkClient(context({ models: lateBy(20) }), LOAD, 0.1);
    expect(check.ttftErrorMs?.p50).toBeGreaterThan(19);
    expect(check.problems.join()).toMatch(/TTFT error p99 \d+\.\d+ ms, over 1 ms/);
  });

  it("does not trust a client that counts otherwise than the server", async () => {
    const oneMore: TruthServer = {
      ...truth,
      async read() {
        const log = await truth.read();
        return { ...log, requests: log.requests.map((sent) => ({ ...sent, tokens: sent.tokens + 1 })) };
      },
    };
    const check = await checkClient(context({ truth: oneMore }), LOAD, 0.1);
    expect(check.problems[0]).toBe(`${check.requests} of ${check.requests} requests were not booked as they were sent`);
  });
});

describe("runFaultCases()", () => {
  it("finds every fault booked as it was", async () => {
    const results = await runFaultCases(context());
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
    expect(results.length).toBeGreaterThan(30);
  });

  it("says what was found instead of what was expected", async () => {
    const blind: ModelStream = {
      ...models,
      stream: (request, sink) =>
        models.stream(request, { ...sink, onEnd: (atMs) => sink.onFailure("reset", "", atMs) }),
    };
    const results = await runFaultCases(context({ models: blind }));
    expect(results.find(({ profile }) => profile === "no-finish")).toEqual({
      profile: "no-finish",
      expected: "truncated, tokens not known, 8 events",
      found: "reset, tokens not known, 8 events",
      ok: false,
    });
  });
});
