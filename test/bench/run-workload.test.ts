import { describe, expect, it } from "vitest";
import { type RunWorkloadContext, runWorkload } from "../../src/bench/run-workload.ts";
import type { Workload } from "../../src/config/run-config.ts";
import type { LoadPoint, RequestTrace } from "../../src/measure/load-point.ts";
import { exampleGpuSample } from "../fakes/example-telemetry.ts";
import { quickWorkload } from "../fakes/quick-workload.ts";
import { VirtualClock } from "../fakes/virtual-clock.ts";
import { VirtualModel, type VirtualModelOptions } from "../fakes/virtual-model.ts";

interface Ran {
  readonly points: LoadPoint[];
  readonly traces: { trace: RequestTrace; phase: string }[];
  readonly lines: string[];
  readonly model: VirtualModel;
  readonly error: unknown;
}

async function run(
  changed: Partial<Workload> = {},
  options: VirtualModelOptions & { cancelAtMs?: number; onFirst?: (clock: VirtualClock) => void } = {},
  context: Partial<RunWorkloadContext> = {},
): Promise<Ran> {
  using clock = new VirtualClock();
  const model = new VirtualModel(clock, options);
  const cancelled = new AbortController();
  if (options.cancelAtMs !== undefined) clock.at(clock.nowMs() + options.cancelAtMs, () => cancelled.abort());
  const points: LoadPoint[] = [];
  const traces: Ran["traces"] = [];
  const lines: string[] = [];
  const error = await runWorkload({
    workload: quickWorkload(changed),
    baseUrl: "http://model",
    model: "m",
    apiKey: null,
    models: model,
    clock,
    signal: cancelled.signal,
    onPoint: (point) => {
      points.push(point);
    },
    onTrace: (trace, { kind }) => traces.push({ trace, phase: kind }),
    onProgress: (line) => lines.push(line),
    ...context,
  }).then(
    () => null,
    (reason: unknown) => reason,
  );
  return { points, traces, lines, model, error };
}

describe("runWorkload()", () => {
  it("keeps exactly the level in flight and measures what the server did", async () => {
    const { points, model, error } = await run({ concurrency: [3], requestsPerLevel: 7 });
    expect(error).toBeNull();
    expect(model.mostRunning).toBe(3);
    const [point] = points;
    expect(point).toMatchObject({
      workload: "chat-128-16",
      concurrency: 3,
      repeat: 0,
      requests: 7,
      outcomes: { ok: 7 },
    });
    expect(point?.metrics.ttftMs).toMatchObject({ n: 7, p50: 50, mean: 50 });
    expect(point?.metrics.tpotMs).toMatchObject({ n: 7, p50: 10 });
    expect(point?.metrics.e2eMs?.p50).toBe(90);
    // Three waves of 90 ms bring 35 tokens.
    expect(point?.durationMs).toBeCloseTo(270, 6);
    expect(point?.metrics.outputTokS).toBeCloseTo(35 / 0.27, 6);
    expect(point?.warnings).toEqual([]);
  });

  it("interleaves repeats over levels and warms each level up once", async () => {
    const { points, traces } = await run({ concurrency: [1, 2], repeats: 2, warmupWaves: 2, requestsPerLevel: 2 });
    expect(points.map(({ concurrency, repeat }) => `${concurrency}/${repeat}`)).toEqual(["1/0", "2/0", "1/1", "2/1"]);
    const phases = traces.map(({ phase }) => phase);
    expect(phases.filter((phase) => phase === "first")).toHaveLength(1);
    expect(phases.filter((phase) => phase === "warm-up")).toHaveLength(2 * 1 + 2 * 2);
    expect(phases.filter((phase) => phase === "measure")).toHaveLength(8);
  });

  it("goes on warming up while the tokens still get faster, up to three more waves", async () => {
    const warmUps = async (changed: Partial<Workload>, options: VirtualModelOptions) => {
      const { traces } = await run({ concurrency: [2], requestsPerLevel: 2, ...changed }, options);
      return traces.filter(({ phase }) => phase === "warm-up").length / 2;
    };
    const faster = (arrival: number) => 20 / (1 + arrival);
    expect(await warmUps({ warmupWaves: 2 }, {})).toBe(2);
    expect(await warmUps({ warmupWaves: 2 }, { itlMsOf: faster })).toBe(5);
    expect(await warmUps({ warmupWaves: 2 }, { itlMsOf: (arrival) => (arrival < 5 ? faster(arrival) : 4) })).toBe(4);
    expect(await warmUps({ warmupWaves: 1 }, { itlMsOf: faster })).toBe(1);
    expect(await warmUps({ warmupWaves: 0 }, { itlMsOf: faster })).toBe(0);
  });

  it("warms an open loop up with as many requests at once as it will have in flight", async () => {
    const waves = async (changed: Partial<Workload>) => {
      const { traces } = await run({
        requestRate: 50,
        concurrency: [1],
        requestsPerLevel: 40,
        warmupWaves: 2,
        ...changed,
      });
      return traces.filter(({ phase }) => phase === "warm-up").length;
    };
    // An answer takes 90 ms: 4.5 are in flight at 50 requests/s.
    expect(await waves({})).toBe(1 + 5);
    expect(await waves({ maxConcurrency: 3 })).toBe(1 + 3);
    expect(await waves({ requestRate: 1000 })).toBe(1 + 40);
  });

  it("asks for exact prompts that all differ, in the warm-up too, and the same ones for the same seed", async () => {
    const shape = { concurrency: [2], repeats: 2, warmupWaves: 2 };
    const first = await run(shape);
    const prompts = first.model.seen.map(({ body }) => JSON.stringify(body["prompt"]));
    expect(new Set(prompts).size).toBe(prompts.length);
    expect(first.model.seen.every(({ body }) => (body["prompt"] as number[]).length === 12)).toBe(true);
    const again = await run(shape);
    expect(again.model.seen.map(({ body }) => JSON.stringify(body["prompt"]))).toEqual(prompts);
    expect(again.points.map(({ promptsSha256 }) => promptsSha256)).toEqual(
      first.points.map(({ promptsSha256 }) => promptsSha256),
    );
    const other = await run({ ...shape, seed: 8 });
    expect(other.points[0]?.promptsSha256).not.toBe(first.points[0]?.promptsSha256);
  });

  it("sends what vLLM needs for a fixed length, and a request id of its own each time", async () => {
    const { model } = await run(
      { temperature: 0.5 },
      { tokenize: () => Array.from({ length: 40 }, (_, id) => 500 + id) },
    );
    const { prompt, cache_salt, ...body } = model.seen.at(-1)?.body ?? {};
    expect(body).toEqual({
      model: "m",
      max_tokens: 5,
      temperature: 0.5,
      stream: true,
      stream_options: { include_usage: true },
      ignore_eos: true,
    });
    expect(prompt).toSatisfy((ids: number[]) => ids.every((id) => id >= 500 && id < 540));
    expect(cache_salt).toMatch(/^arc-[0-9a-f]{8}-measure-2-0$/);
    expect(new Set(model.seen.map(({ rid }) => rid)).size).toBe(model.seen.length);
  });

  it("leaves vLLM's own fields out for other servers", async () => {
    const { model } = await run({ ignoreEos: false });
    expect(Object.keys(model.seen[0]?.body ?? {})).not.toContain("ignore_eos");
    expect(Object.keys(model.seen[0]?.body ?? {})).not.toContain("cache_salt");
  });

  it("books failures by what they were and keeps them out of the latencies", async () => {
    const fate = (arrival: number) => (arrival === 2 ? "stall" : arrival === 4 ? "refuse" : "answer");
    const { points, error } = await run({ requestsPerLevel: 6 }, { fate });
    expect(error).toBeNull();
    expect(points[0]).toMatchObject({ requests: 6, outcomes: { ok: 4, stall_timeout: 1, http_5xx: 1 } });
    expect(points[0]?.metrics.ttftMs?.n).toBe(4);
    expect(points[0]?.metrics.successRatio).toBeCloseTo(4 / 6, 9);
    expect(points[0]?.warnings).toEqual([
      expect.stringMatching(/^http_5xx, first at arc-.*: HTTP 503$/),
      expect.stringMatching(/^stall_timeout, first at arc-.*: no event for 1000 ms$/),
    ]);
  });

  it("hands over each point before the next one starts", async () => {
    const order: string[] = [];
    await run(
      { concurrency: [1, 2], requestsPerLevel: 2 },
      {},
      {
        onPoint: async ({ concurrency }) => {
          order.push(`saving ${concurrency}`);
          await new Promise((resolve) => setImmediate(resolve));
          order.push(`saved ${concurrency}`);
        },
        onTrace: (_, { kind, concurrency }) => {
          if (kind === "measure") order.push(`request ${concurrency}`);
        },
      },
    );
    expect(order).toEqual([
      "request 1",
      "request 1",
      "saving 1",
      "saved 1",
      "request 2",
      "request 2",
      "saving 2",
      "saved 2",
    ]);
  });

  it("keeps what is finished when it is cancelled, and marks the rest as cancelled", async () => {
    // The first request takes 90 ms and level 1 another 180 ms; level 2 is cut in its second wave.
    const { points, error, model } = await run(
      { concurrency: [1, 2], requestsPerLevel: 2 * 3 },
      { cancelAtMs: 90 + 6 * 90 + 90 + 45 },
    );
    expect(error).toMatchObject({ code: "CANCELLED" });
    expect(points.map(({ outcomes }) => outcomes)).toEqual([{ ok: 6 }, { ok: 2, cancelled: 2 }]);
    expect(points[0]?.warnings).toEqual([]);
    expect(points[1]?.warnings).toEqual(["Invalid: cancelled after 4 of 6 requests"]);
    expect(model.running).toBe(0);
    expect(model.cancelled).toHaveLength(2);
  });

  it("measures nothing when it was cancelled before it began", async () => {
    const { error, model } = await run({}, {}, { signal: AbortSignal.abort() });
    expect(error).toMatchObject({ code: "CANCELLED" });
    expect(model.seen).toEqual([]);
  });

  it("sends open-loop requests by the schedule, however slow the server is", async () => {
    const { points, model } = await run({ requestRate: 100, requestsPerLevel: 400, outputTokens: 20 }, {});
    expect(points[0]).toMatchObject({ requestRate: 100, requests: 400, outcomes: { ok: 400 }, warnings: [] });
    // An answer takes 240 ms, so about 24 are in flight once it runs; the schedule takes 4 s at 100 per second.
    expect(model.mostRunning).toBeGreaterThan(15);
    const sent = model.seen.slice(1).map(({ atMs }) => atMs);
    expect((sent.at(-1) ?? 0) - (sent[0] ?? 0)).toBeGreaterThan(3000);
    expect((sent.at(-1) ?? 0) - (sent[0] ?? 0)).toBeLessThan(5000);
    expect(points[0]?.metrics.latenessMs?.max).toBeLessThanOrEqual(0.5);
  });

  it("counts open-loop latency from the schedule and calls a missed schedule invalid", async () => {
    using clock = new VirtualClock();
    let blocked = false;
    const { points } = await run(
      { requestRate: 50, requestsPerLevel: 40 },
      {},
      {
        clock,
        models: new VirtualModel(clock),
        onTrace: (_, { kind }) => {
          if (kind === "measure" && !blocked) clock.block(200);
          blocked ||= kind === "measure";
        },
      },
    );
    const [point] = points;
    expect(point?.metrics.latenessMs?.max).toBeGreaterThan(100);
    expect(point?.metrics.ttftMs?.max).toBeGreaterThan(150);
    expect(point?.warnings).toEqual([
      expect.stringMatching(/^Invalid: requests went out [\d.]+ ms late \(p99\), 5.0 ms/),
    ]);
  });

  it("lets open-loop requests wait for the cap and counts the wait, without calling it late", async () => {
    const { points, model } = await run({
      requestRate: 100,
      requestsPerLevel: 60,
      maxConcurrency: 4,
      arrivals: "constant",
    });
    expect(model.mostRunning).toBe(4);
    // 4 at once of 90 ms each are 44 a second where 100 are wanted: the queue grows to 0.7 s.
    expect(points[0]?.metrics.queuedMs?.max).toBeGreaterThan(500);
    expect(points[0]?.metrics.latenessMs?.max).toBeLessThan(1);
    expect(points[0]?.metrics.ttftMs?.max).toBeGreaterThan(550);
    expect(points[0]?.warnings).toEqual([]);
  });

  it("ends a load by its duration and lets what runs finish", async () => {
    const { points } = await run({ concurrency: [2], requestsPerLevel: 1000, durationMs: 300 });
    // Starts at 0, 90, 180 and 270 ms.
    expect(points[0]).toMatchObject({ requests: 8, outcomes: { ok: 8 } });
  });

  it("counts what is good by every limit of the SLO", async () => {
    const slo = { ttftMs: 60, tpotMs: 12 };
    const { points } = await run({ slo }, { fate: (arrival) => (arrival === 1 ? "refuse" : "answer") });
    expect(points[0]?.metrics.goodput?.ratio).toBeCloseTo(5 / 6, 9);
    const strict = await run({ slo: { ...slo, e2eMs: 80 } });
    expect(strict.points[0]?.metrics.goodput).toEqual({ ratio: 0, requestS: 0 });
  });

  it("shares the prefix that is asked for and nothing more", async () => {
    const { model } = await run({ sharedPrefixTokens: 8 });
    const prompts = model.seen.map(({ body }) => body["prompt"] as number[]);
    expect(new Set(prompts.map((ids) => ids.slice(0, 8).join())).size).toBe(1);
    expect(new Set(prompts.map((ids) => ids.join())).size).toBe(prompts.length);
    expect(prompts.every((ids) => ids.length === 12)).toBe(true);
  });

  it("spreads lengths evenly around those that are wanted, and checks each answer", async () => {
    const { model, points } = await run({
      inputTokens: 150,
      sharedPrefixTokens: 50,
      outputTokens: 10,
      lengthSpread: 0.2,
      requestsPerLevel: 300,
    });
    const seen = model.seen.slice(1).map(({ body }) => ({
      input: (body["prompt"] as number[]).length,
      output: Number(body["max_tokens"]),
    }));
    const range = (values: number[]) => [Math.min(...values), Math.max(...values)];
    expect(range(seen.map(({ input }) => input))).toEqual([130, 170]);
    expect(range(seen.map(({ output }) => output))).toEqual([8, 12]);
    const mean = seen.reduce((sum, { input }) => sum + input, 0) / seen.length;
    expect(Math.abs(mean - 150)).toBeLessThan(3);
    expect(points[0]).toMatchObject({ outcomes: { ok: 300 }, warnings: [] });
  });

  it("takes prompts and lengths from a file", async () => {
    const filePrompts = [
      { content: { kind: "text" as const, text: "one" }, outputTokens: 3, answer: null },
      { content: { kind: "text" as const, text: "two" }, outputTokens: null, answer: null },
    ];
    const prompts = { path: "p.jsonl", outputLengths: "file" as const };
    const shape = { inputTokens: null, prompts, concurrency: [1] };
    const { model, points } = await run({ ...shape, requestsPerLevel: 2 }, {}, { filePrompts });
    expect(model.seen.slice(1).map(({ body }) => [body["prompt"], body["max_tokens"]])).toEqual([
      ["one", 3],
      ["two", 5],
    ]);
    expect(points[0]).toMatchObject({ outcomes: { ok: 2 }, warnings: [] });
    const longer = await run({ ...shape, requestsPerLevel: 6 }, {}, { filePrompts });
    expect(longer.points[0]?.warnings).toEqual([
      "6 requests used 2 different prompts: a prefix cache makes the repeated ones faster",
    ]);
  });

  it("sums up what was seen of the host meanwhile, and says why it was slow", async () => {
    const samples = Array.from({ length: 200 }, (_, at) => ({
      atMs: 1000 + at * 10,
      upS: at / 100,
      load1: null,
      ticks: null,
      governor: "powersave",
      cpuMhz: [800, 1200],
      cpuWindowMinMhz: 800,
      packages: [],
      gpus: [exampleGpuSample({ joules: at })],
    }));
    const { points } = await run({}, {}, { hostSamples: { cpuMaxMhz: 4200, samples } });
    const [point] = points;
    expect(point?.host?.gpus[0]?.powerW).toBeCloseTo(100);
    expect(point?.host?.gpuJPerToken).toBeCloseTo(100 / (point?.plateau?.outputTokS ?? point?.metrics.outputTokS ?? 0));
    expect(point?.warnings).toEqual([
      "the fastest CPU core ran at 1200 MHz (median) of 4200 under governor powersave: the cards wait for it at every step",
    ]);
  });

  it("shows where the phase under way stands, four times a second, and which level of how many it is", async () => {
    const { lines } = await run({ concurrency: [2, 4], requestsPerLevel: 40, repeats: 2, outputTokens: 20 });
    expect(lines[0]).toBe(
      "chat-128-16 c=2 level 1 of 4 (repeat 1 of 2) | 2/40 done, 0 failed, 2 in flight | 160.0 tok/s | TTFT p50 50.0 ms, TPOT p50 10.0 ms | about 5 s left",
    );
    expect(lines.filter((line) => line.includes("level 2 of 4")).length).toBeGreaterThan(5);
    expect(lines.at(-1)).toContain("level 4 of 4 (repeat 2 of 2) | 40/40 done, 0 failed, 0 in flight");
  });

  it("fits the text of a chat to the length that the server counts", async () => {
    // The template costs 7 tokens, "the" as the first word one, and words of more than 4 letters two.
    const pieces = (text: string) =>
      text
        .trim()
        .split(" ")
        .flatMap((word) => (word.length > 4 ? [word, word] : [word]));
    const tokenize = (question: Record<string, unknown>) => {
      const messages = question["messages"] as { content: string }[] | undefined;
      const text = messages?.[0]?.content ?? String(question["prompt"]);
      return Array.from({ length: pieces(text).length + (messages === undefined ? 0 : 7) }, (_, at) => at);
    };
    const { model } = await run({ endpoint: "/v1/chat/completions", inputTokens: 50, ignoreEos: false }, { tokenize });
    const texts = model.seen.map(({ body }) => (body["messages"] as { content: string }[])[0]?.content ?? "");
    expect(texts.map((text) => pieces(text).length + 7)).toEqual(texts.map(() => 50));
    expect(new Set(texts).size).toBe(texts.length);
  });

  it("says when the server counts prompts otherwise", async () => {
    const { points } = await run({ endpoint: "/v1/chat/completions", inputTokens: 50 });
    expect(points[0]?.warnings).toEqual(["6 of 6 prompts have 20 to 20 tokens, 50 are wanted"]);
  });
});
