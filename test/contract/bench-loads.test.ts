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

describe("arc-vllm bench --trace", () => {
  const row = (timestamp: number, input_length: number, output_length: number, hash_ids: number[]) =>
    JSON.stringify({ timestamp, input_length, output_length, hash_ids });
  const TRACE = [row(1000, 40, 3, [1, 2, 3]), row(1100, 44, 5, [1, 2, 4]), row(1400, 20, 2, [9, 8])].join("\n");
  const flags = { trace: "t.jsonl", "trace-block-size": "16", "num-warmups": "0" };

  it("keeps its schedule at any speed, its lengths and what prompts share", async () => {
    const before = server.bodies.length;
    const { requests, json } = await benchWith(server.baseUrl, { ...flags, "trace-speed": "4" }, { "t.jsonl": TRACE });
    const scheduled = since(requests.map(({ scheduledNs }) => scheduledNs));
    expect(scheduled).toEqual([0, 25, 100].map((ms) => expect.closeTo(ms, 1)));
    expect(requests.map(({ outcome, promptTokens, tokens }) => [outcome, promptTokens, tokens])).toEqual([
      ["ok", 40, 3],
      ["ok", 44, 5],
      ["ok", 20, 2],
    ]);
    const ids = server.bodies.slice(before + 1).map((body) => (body["prompt"] as number[]).join(" "));
    expect(ids[1]?.startsWith(ids[0]?.split(" ").slice(0, 32).join(" ") ?? "?")).toBe(true);
    const { points } = json as { points: Record<string, unknown>[] };
    // Two of three blocks of the second prompt are those of the first: 32 of 104 tokens.
    expect(points).toMatchObject([{ requestRate: 20, requests: 3, repeatedPromptRatio: expect.closeTo(32 / 104, 9) }]);
  });

  it("replays its first requests only, and names a wrong line", async () => {
    const { requests } = await benchWith(server.baseUrl, { ...flags, "num-prompts": "2" }, { "t.jsonl": TRACE });
    expect(requests).toHaveLength(2);
    await expect(benchWith(server.baseUrl, flags, { "t.jsonl": `${TRACE}\n{}` })).rejects.toMatchObject({
      code: "INPUT_INVALID",
      message: expect.stringContaining('Cannot read the trace from "t.jsonl:4": its "timestamp" is missing'),
    });
  });
});

describe("arc-vllm bench --multi-turn", () => {
  it("holds whole sessions with what the server answered, and shows each turn", async () => {
    const before = server.bodies.length;
    const flags = {
      "multi-turn": "true",
      turns: "3",
      "num-prompts": "6",
      "max-concurrency": "2",
      "think-time": "0.05",
    };
    const { text, requests, json } = await benchWith(server.baseUrl, { ...SHORT, ...flags });
    expect(requests.map(({ session, turn, outcome, tokens }) => [session, turn, outcome, tokens]).sort()).toEqual(
      [0, 1].flatMap((session) => [1, 2, 3].map((turn) => [session, turn, "ok", 4])),
    );
    const messages = server.bodies.slice(before + 1).map((body) => body["messages"] as { content: string }[]);
    expect(messages.map(({ length }) => length).sort()).toEqual([1, 1, 3, 3, 5, 5]);
    for (const [, answer] of messages.filter(({ length }) => length > 1)) expect(answer?.content).toBe(" w0 w1 w2 w3");
    expect(json).toMatchObject({ points: [{ requests: 6, turns: [{ turn: 1 }, { turn: 2 }, { turn: 3, ok: 2 }] }] });
    expect(text).toMatch(/load point +│ turn │ req │ ok │ prompt tokens │/);
    const [sent = 0, next = 0] = requests
      .filter(({ session }) => session === 0)
      .map(({ sentNs }) => Number(sentNs) / 1e6);
    // TTFT 20 ms, three more tokens of 3 ms each, and the pause.
    expect(next - sent).toBeGreaterThanOrEqual(20 + 9 + 50 - 1);
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
