import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../src/adapters-http/http-model-stream.ts";
import { type RequestPlan, type StartedRequest, startRequest } from "../../src/bench/start-request.ts";
import { Secret } from "../../src/core/secret.ts";
import type { RequestTrace } from "../../src/measure/load-point.ts";
import { FAULT_CASES } from "../../src/trust/fault-cases.ts";
import { type FaultServer, startFaultServer } from "../fakes/fault-server.ts";

let server: FaultServer;
const models = httpModelStream();
const NOW = { scheduledMs: null, queuedMs: 0 };

beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(async () => {
  await models[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function plan(profile: string, changed: Partial<RequestPlan> = {}): RequestPlan {
  return {
    index: 0,
    rid: `rid-${profile}`,
    url: `${server.baseUrl}/v1/chat/completions`,
    body: JSON.stringify({
      model: `m@${profile}`,
      max_tokens: 8,
      stream: true,
      stream_options: { include_usage: true },
    }),
    apiKey: null,
    wantedTokens: 8,
    stallTimeoutMs: 15_000,
    totalTimeoutMs: 15_000,
    ...changed,
  };
}

async function finished(request: StartedRequest): Promise<RequestTrace> {
  const watch = setInterval(() => request.enforceLimits(systemClock.nowMs()), 5);
  try {
    return await request.done;
  } finally {
    clearInterval(watch);
  }
}

function send(profile: string, changed: Partial<RequestPlan> = {}): Promise<RequestTrace> {
  return finished(startRequest(models, systemClock, plan(profile, changed), NOW));
}

/** Resets the second request on its first connection, as a server does that closed it a moment before. */
async function startClosingServer() {
  let requests = 0;
  let connections = 0;
  const body = 'data: {"choices":[{"index":0,"text":"a","finish_reason":"length"}]}\n\ndata: [DONE]\n\n';
  const answer = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const raw = createServer((socket) => {
    connections += 1;
    const isFirst = connections === 1;
    let onThis = 0;
    socket.on("error", () => {});
    socket.on("data", () => {
      requests += 1;
      onThis += 1;
      if (isFirst && onThis === 2) socket.resetAndDestroy();
      else socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => raw.listen(0, "127.0.0.1", resolve));
  return {
    baseUrl: `http://127.0.0.1:${(raw.address() as AddressInfo).port}`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      raw.close();
    },
  };
}

describe("startRequest() over httpModelStream()", () => {
  it.each(FAULT_CASES)("$profile ends as $outcome", async (want) => {
    const trace = await send(want.profile, want.limits ?? {});
    expect({ outcome: trace.outcome, detail: trace.detail }).toEqual({
      outcome: want.outcome,
      detail: want.detail === undefined ? (want.outcome === "ok" ? null : expect.any(String)) : want.detail,
    });
    expect(trace.outputTokens).toBe(want.outputTokens);
    expect(trace.tokensEstimated).toBe(want.estimated ?? false);
    if (want.chunks !== null) expect(trace.chunkMs).toHaveLength(want.chunks);
    if (want.finishReason !== undefined) expect(trace.finishReason).toBe(want.finishReason);
    if (want.coalesced !== undefined) expect(trace.coalesced).toBe(want.coalesced);
    if (want.outcome === "ok") expect(trace.chunkTokens).toEqual(want.chunkTokens ?? null);
    expect((trace.firstMs ?? Number.POSITIVE_INFINITY) - trace.sentMs).toBeGreaterThanOrEqual(want.firstAtLeastMs ?? 0);
    if (want.visibleLater === true) expect(trace.firstVisibleMs).toBeGreaterThan(trace.firstMs ?? Number.NaN);
  });

  it("does not guess tokens when the length of the answer was open", async () => {
    expect(await send("no-usage", { wantedTokens: null })).toMatchObject({
      outcome: "ok",
      outputTokens: null,
      tokensEstimated: false,
    });
  });

  it("keeps its times in the order in which things happened", async () => {
    const trace = await send("role-first");
    const times = [
      trace.scheduledMs,
      trace.sentMs,
      trace.headersMs,
      trace.firstEventMs,
      trace.firstMs,
      trace.lastMs,
      trace.endMs,
    ].map(Number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(trace.firstMs).toBe(trace.chunkMs[0]);
    expect(trace.lastMs).toBe(trace.chunkMs.at(-1));
    expect(Number(trace.firstMs) - Number(trace.firstEventMs)).toBeGreaterThan(20);
  });

  it("sends the request id and the key, and takes the id of the answer", async () => {
    const trace = await send("plain", { rid: "mine-7", apiKey: new Secret("s3cret") });
    expect(trace).toMatchObject({ rid: "mine-7", id: "cmpl-mine-7", httpStatus: 200, promptTokens: 11 });
    expect(server.headers.at(-1)).toMatchObject({ "x-request-id": "mine-7", authorization: "Bearer s3cret" });
  });

  it("uses one connection for requests that follow each other", async () => {
    await send("plain");
    const before = server.connections();
    for (let request = 0; request < 3; request += 1) await send("plain");
    expect(server.connections()).toBe(before);
  });

  it("opens as many connections as there are requests at once", async () => {
    const traces = await Promise.all(Array.from({ length: 40 }, () => send("plain")));
    expect(traces.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 40 }, () => "ok"));
    expect(server.openConnections()).toBeGreaterThanOrEqual(40);
  });

  it("opens connections ahead, and no more than are missing", async () => {
    await using fresh = await startFaultServer();
    await using own = httpModelStream();
    await own.open?.(fresh.baseUrl, 5);
    await expect.poll(() => fresh.openConnections()).toBe(5);
    await own.open?.(fresh.baseUrl, 7);
    await expect.poll(() => fresh.openConnections()).toBe(7);
    const url = `${fresh.baseUrl}/v1/completions`;
    const requests = Array.from({ length: 7 }, () =>
      finished(startRequest(own, systemClock, plan("plain", { url }), NOW)),
    );
    expect((await Promise.all(requests)).map(({ outcome }) => outcome)).toEqual(Array.from({ length: 7 }, () => "ok"));
    expect(fresh.connections()).toBe(7);
    await own.open?.("http://127.0.0.1:9", 2);
  });

  it("ends the answer at the server when it is cancelled, and keeps what came", async () => {
    const before = server.aborted();
    const request = startRequest(models, systemClock, plan("stall"), NOW);
    await systemClock.sleep(500);
    request.cancel();
    expect(await request.done).toMatchObject({ outcome: "cancelled", chunkMs: { length: 3 } });
    await expect.poll(() => server.aborted()).toBe(before + 1);
  });

  it("sends again, and says so, when the server had closed the reused connection", async () => {
    await using flaky = await startClosingServer();
    const url = `${flaky.baseUrl}/v1/completions`;
    expect(await send("plain", { url, wantedTokens: null })).toMatchObject({ outcome: "ok", resent: false });
    const second = await send("plain", { url, wantedTokens: null });
    expect(second).toMatchObject({ outcome: "ok", resent: true });
    expect(flaky.requests()).toBe(3);
  });

  it("sends only once when a fresh connection breaks, and when a reused one breaks inside the answer", async () => {
    await send("plain");
    const before = server.bodies.length;
    expect(await send("rst")).toMatchObject({ outcome: "reset", resent: false });
    expect(server.bodies.length).toBe(before + 1);
    await using fresh = await startFaultServer();
    expect(await send("rst-at-once", { url: `${fresh.baseUrl}/v1/completions` })).toMatchObject({ resent: false });
    expect(fresh.bodies).toHaveLength(1);
  });

  it("says connect when nobody listens and when the name does not exist", async () => {
    const free = await new Promise<number>((resolve) => {
      const taken = createServer().listen(0, "127.0.0.1", () => {
        const { port } = taken.address() as AddressInfo;
        taken.close(() => resolve(port));
      });
    });
    const refused = await send("plain", { url: `http://127.0.0.1:${free}/v1/completions` });
    expect(refused).toMatchObject({ outcome: "connect", httpStatus: null, firstMs: null });
    const unknown = await send("plain", { url: "http://no-such-host.invalid/v1/completions" });
    expect(unknown).toMatchObject({ outcome: "connect" });
  });

  it("says tls when the other side does not speak TLS", async () => {
    const url = `${server.baseUrl.replace("http:", "https:")}/v1/completions`;
    expect(await send("plain", { url })).toMatchObject({ outcome: "tls" });
  });

  it("counts from the scheduled time when there is one", async () => {
    const scheduledMs = systemClock.nowMs() - 50;
    const trace = await finished(startRequest(models, systemClock, plan("plain"), { scheduledMs, queuedMs: 0 }));
    expect(trace.scheduledMs).toBe(scheduledMs);
    expect(trace.sentMs - trace.scheduledMs).toBeGreaterThanOrEqual(50);
  });
});
