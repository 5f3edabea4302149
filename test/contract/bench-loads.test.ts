import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { benchWith } from "../fakes/bench-world.ts";
import { type FaultServer, startFaultServer } from "../fakes/fault-server.ts";

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const SHORT = { "random-input-len": "8", "random-output-len": "4", "num-warmups": "0" };

/** Times in ms after the first one. */
const since = (times: readonly unknown[]) => times.map((time) => (Number(time) - Number(times[0])) / 1e6);

describe("arc-vllm bench --ramp-up-strategy", () => {
  it("schedules each gap by the rate at that request, and says how late each was", async () => {
    const ramp = { "ramp-up-strategy": "exponential", "ramp-up-start-rps": "10", "ramp-up-end-rps": "160" };
    const flags = { ...SHORT, ...ramp, burstiness: "inf", "num-prompts": "5" };
    const { requests } = await benchWith(server.baseUrl, flags);
    const scheduled = since(requests.map(({ scheduledNs }) => scheduledNs));
    // 10, 20, 40, 80 and 160 per second; the first gap is before the first request.
    expect(scheduled).toEqual([0, 50, 75, 87.5, 93.75].map((ms) => expect.closeTo(ms, 1)));
    for (const { scheduledNs, sentNs } of requests) expect(sentNs).toBeGreaterThanOrEqual(Number(scheduledNs));
  });
});

describe("arc-vllm bench --sweep", () => {
  it("goes up level by level and says in a sentence what it found", async () => {
    const sweep = { ...SHORT, sweep: "concurrency", "sweep-to": "4", "num-prompts": "24", goodput: "ttft:5000" };
    const { text, json, requests } = await benchWith(server.baseUrl, sweep);
    expect(json).toMatchObject({ sweep: { of: "concurrency", isFinished: true } });
    expect(text).toMatch(/^bench holds [124] requests? in flight with TTFT <= 5000 ms for 90 % of the requests/);
    expect(requests.length).toBeGreaterThanOrEqual(3 * 24);
  });
});
