import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { benchWith } from "../fakes/bench-world.ts";
import { type FaultServer, startFaultServer } from "../fakes/fault-server.ts";

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const SHORT = { "random-input-len": "8", "random-output-len": "4", "num-warmups": "0" };

describe("arc-vllm bench --sweep", () => {
  it("goes up level by level and says in a sentence what it found", async () => {
    const sweep = { ...SHORT, sweep: "concurrency", "sweep-to": "4", "num-prompts": "24", goodput: "ttft:5000" };
    const { text, json, requests } = await benchWith(server.baseUrl, sweep);
    expect(json).toMatchObject({ sweep: { of: "concurrency", isFinished: true } });
    expect(text).toMatch(/^bench holds [124] requests? in flight with TTFT <= 5000 ms for 90 % of the requests/);
    expect(requests.length).toBeGreaterThanOrEqual(3 * 24);
  });
});
