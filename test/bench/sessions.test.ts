import { describe, expect, it } from "vitest";
import { type RunWorkloadContext, runWorkload } from "../../src/bench/run-workload.ts";
import type { Workload } from "../../src/config/run-config.ts";
import type { LoadPoint, RequestTrace } from "../../src/measure/load-point.ts";
import { repeatedInSessions } from "../../src/measure/turn-summary.ts";
import { parseConversationFile } from "../../src/prompts/conversation-file.ts";
import { parsePromptFile } from "../../src/prompts/prompt-file.ts";
import { quickWorkload } from "../fakes/quick-workload.ts";
import { requestTrace } from "../fakes/request-trace.ts";
import { VirtualClock } from "../fakes/virtual-clock.ts";
import { VirtualModel, type VirtualModelOptions } from "../fakes/virtual-model.ts";

const SESSIONS = { turns: 3, turnInputTokens: 4, thinkMs: 0 };

function workload(changed: Partial<Workload> = {}): Workload {
  const sessions = { name: "talk", endpoint: "/v1/chat/completions", inputTokens: 20, sessions: SESSIONS } as const;
  return quickWorkload({ ...sessions, requestsPerLevel: 12, ...changed });
}

async function talk(
  changed: Partial<Workload> = {},
  options: VirtualModelOptions = {},
  context: Partial<RunWorkloadContext> = {},
) {
  using clock = new VirtualClock();
  const model = new VirtualModel(clock, options);
  const points: LoadPoint[] = [];
  const traces: RequestTrace[] = [];
  await runWorkload({
    workload: workload(changed),
    baseUrl: "http://model",
    model: "m",
    apiKey: null,
    models: model,
    clock,
    signal: new AbortController().signal,
    onPoint: (point, measured) => {
      points.push(point);
      traces.push(...measured);
    },
    ...context,
  });
  // Without the request that only looks.
  const sent = model.seen.slice(1).map(({ body, atMs }) => ({
    atMs,
    messages: body["messages"] as { role: string; content: string }[],
  }));
  const [point] = points;
  return { point, traces, model, sent };
}

describe("sessions", () => {
  it("send each turn with all that was said and really answered before", async () => {
    const { sent, point, traces } = await talk({ concurrency: [1], requestsPerLevel: 3 });
    expect(sent.map(({ messages }) => messages.map(({ role }) => role).join(" "))).toEqual([
      "user",
      "user assistant user",
      "user assistant user assistant user",
    ]);
    const [first, second, third] = sent.map(({ messages }) => messages);
    // The server answers five times "a".
    expect(second?.[1]).toEqual({ role: "assistant", content: "aaaaa" });
    expect(second?.[0]).toEqual(first?.[0]);
    expect(third?.slice(0, 3)).toEqual(second);
    expect(third?.[4]?.content).not.toBe(second?.[2]?.content);
    expect(point).toMatchObject({ requests: 3, outcomes: { ok: 3 } });
    expect(traces.map(({ turn }) => turn)).toEqual([1, 2, 3].map((turn) => ({ session: 0, turn })));
  });

  it("keep as many going at once as are wanted, and are held whole", async () => {
    const { model, point, sent } = await talk({ concurrency: [3], requestsPerLevel: 13 });
    expect(model.mostRunning).toBe(3);
    // 13 requests are begun by 5 sessions of 3 turns.
    expect(point).toMatchObject({ requests: 15, outcomes: { ok: 15 } });
    const openings = sent.filter(({ messages }) => messages.length === 1);
    expect(new Set(openings.map(({ messages }) => messages[0]?.content)).size).toBe(5);
    expect(point?.turns?.map(({ turn, requests, ok }) => [turn, requests, ok])).toEqual([
      [1, 5, 5],
      [2, 5, 5],
      [3, 5, 5],
    ]);
    expect(point?.turns?.[1]?.ttftMs).toMatchObject({ n: 5, p50: 50 });
  });

  it("think before every turn but the first", async () => {
    const sessions = { ...SESSIONS, thinkMs: 400 };
    const { sent } = await talk({ concurrency: [1], requestsPerLevel: 3, sessions });
    const [first = 0, second = 0, third = 0] = sent.map(({ atMs }) => atMs);
    // An answer takes 90 ms.
    expect(second - first).toBeCloseTo(490, 0);
    expect(third - second).toBeCloseTo(490, 0);
  });

  it("end with a turn that fails", async () => {
    const fate = (arrival: number) => (arrival === 2 ? "refuse" : "answer");
    const { point, sent } = await talk({ concurrency: [1], requestsPerLevel: 6 }, { fate });
    expect(sent.map(({ messages }) => messages.length)).toEqual([1, 3, 1, 3, 5]);
    expect(point).toMatchObject({ requests: 5, outcomes: { ok: 4, http_5xx: 1 } });
    expect(point?.warnings).toContain("1 of 2 sessions ended with a turn that failed: 1 turn was not sent");
  });

  it("come from a file, with its pauses, its system message and at most so many turns", async () => {
    const file = [
      '{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"user","content":"b"}]}',
      '{"turns":[{"text":"c","output_length":3},{"text":"d","delay":200},{"text":"e"}]}',
    ].join("\n");
    const context = {
      filePrompts: parsePromptFile(file, "f"),
      conversations: parseConversationFile(file, "f"),
    };
    const { sent, model } = await talk(
      {
        concurrency: [1],
        requestsPerLevel: 4,
        inputTokens: null,
        prompts: { path: "f", outputLengths: "file" },
        sessions: { turns: 2, turnInputTokens: null, thinkMs: 0 },
      },
      {},
      context,
    );
    expect(sent.map(({ messages }) => messages.map(({ content }) => content))).toEqual([
      ["s", "a"],
      ["s", "a", "aaaaa", "b"],
      ["c"],
      ["c", "aaa", "d"],
    ]);
    expect(model.seen.slice(1).map(({ body }) => body["max_tokens"])).toEqual([5, 5, 3, 5]);
    expect((sent[3]?.atMs ?? 0) - (sent[2]?.atMs ?? 0)).toBeCloseTo(50 + 2 * 10 + 200, 0);
  });

  it("are the same again for the same seed", async () => {
    const [one, again, other] = [await talk(), await talk(), await talk({ seed: 8 })];
    expect(again.point?.promptsSha256).toBe(one.point?.promptsSha256);
    expect(other.point?.promptsSha256).not.toBe(one.point?.promptsSha256);
  });
});

describe("repeatedInSessions()", () => {
  const turn = (session: number, number: number, promptTokens: number | null, tokens = 10) =>
    requestTrace({ turn: { session, turn: number }, promptTokens, tokens });

  it("counts what the turn before has said and got", () => {
    expect(repeatedInSessions([turn(0, 1, 20), turn(0, 2, 50), turn(1, 1, 30)])).toBeCloseTo(30 / 100, 9);
    expect(repeatedInSessions([turn(0, 1, 20), turn(0, 2, null)])).toBeNull();
    expect(repeatedInSessions([])).toBeNull();
  });
});
