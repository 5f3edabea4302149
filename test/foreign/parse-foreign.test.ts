import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { ForeignLevel, ForeignResult } from "../../src/foreign/foreign-result.ts";
import { parseForeign } from "../../src/foreign/parse-foreign.ts";

const CASES = resolve(import.meta.dirname, "../cases/import");

function parseCase(file: string): ForeignResult {
  const [result] = parseForeign(readFileSync(`${CASES}/${file}`, "utf8"), file);
  if (result === undefined) throw new Error(`${file} holds no result`);
  return result;
}

function levelOf(file: string): ForeignLevel {
  const [level] = parseCase(file).levels;
  if (level === undefined) throw new Error(`${file} holds no level`);
  return level;
}

describe("parseForeign()", () => {
  it.each([
    ["vllm/chat-detailed.json", "vLLM bench serve", null, "m", "/v1/chat/completions"],
    ["vllm/rate-with-failures.json", "vLLM bench serve", null, "m@503", "/v1/completions"],
    ["vllm-rust/chat.json", "vllm-bench (Rust)", null, "Qwen/Qwen3-8B", "/v1/chat/completions"],
    ["aiperf/concurrency.json", "AIPerf", "0.13.0", "m", "/v1/chat/completions"],
    ["guidellm/concurrent.json", "GuideLLM", "0.8.1", "m", "/v1/chat/completions"],
    ["inference-perf/stage-concurrency.json", "inference-perf", null, null, null],
    ["sglang/random.jsonl", "SGLang bench_serving", null, "Llama-3.1-8B-Instruct", "/v1/chat/completions"],
    ["ipex-llm/online-benchmark.txt", "ipex-llm vllm_online_benchmark.py", null, "Qwen1.5-14B-Chat", "/v1/completions"],
  ])("tells %s as a result of %s by its content", (file, tool, toolVersion, model, endpoint) => {
    expect(parseCase(file)).toMatchObject({ tool, toolVersion, model, shape: { endpoint } });
  });

  // All of them measured the same server: first token after 60 ms, then one every 8 ms (both with some jitter), 12 tokens.
  it.each([
    ["vllm/chat-detailed.json", { concurrency: 4, requestRate: null, requests: 24, ok: 24, outputTokens: 288 }],
    ["vllm/rate-with-failures.json", { concurrency: null, requestRate: 40, requests: 40, ok: 36, outputTokens: 432 }],
    ["aiperf/concurrency.json", { concurrency: 4, requestRate: null, requests: 24, ok: 24, outputTokens: 288 }],
    ["aiperf/rate-with-failures.json", { concurrency: null, requestRate: 40, requests: 24, ok: 21, outputTokens: 252 }],
    ["guidellm/concurrent.json", { concurrency: 4, requestRate: null, requests: 24, ok: 24, outputTokens: 288 }],
    [
      "guidellm/poisson-with-failures.json",
      { concurrency: null, requestRate: 20, requests: 30, ok: 27, outputTokens: 324 },
    ],
    [
      "inference-perf/stage-concurrency.json",
      { concurrency: 4, requestRate: null, requests: 24, ok: 24, outputTokens: 288 },
    ],
    ["inference-perf/stage-rate-with-failures.json", { concurrency: null, requestRate: 20, requests: 40, ok: 36 }],
  ])("reads load, counts and times of %s in milliseconds", (file, counts) => {
    const level = levelOf(file);
    expect(level).toMatchObject(counts);
    expect(level.durationMs).toBeGreaterThan(500);
    expect(level.durationMs).toBeLessThan(3000);
    expect(within(level.ttftMs?.p50, 58, 80)).toBe(true);
    expect(within(level.tpotMs?.p50, 7.8, 8.4)).toBe(true);
    if (level.e2eMs !== null) expect(within(level.e2eMs.p50, 58 + 11 * 7.8, 80 + 11 * 8.4)).toBe(true);
  });

  it("takes GuideLLM's inter_token_latency for TPOT, since its time_per_output_token includes the first token", () => {
    const { benchmarks } = JSON.parse(readFileSync(`${CASES}/guidellm/concurrent.json`, "utf8"));
    const { metrics } = benchmarks[0];
    expect(metrics.time_per_output_token_ms.successful.mean).toBeGreaterThan(12);
    const level = levelOf("guidellm/concurrent.json");
    expect(level.tpotMs?.mean).toBeCloseTo(metrics.inter_token_latency_ms.successful.mean, 6);
    // By our formula E2E ends with the last token: TTFT + 11 x TPOT.
    expect(level.e2eMs?.mean).toBeCloseTo((level.ttftMs?.mean ?? 0) + 11 * (level.tpotMs?.mean ?? 0), 0);
  });

  it("reads the same of a GuideLLM file without its list of requests, but for the percentiles of tokens", () => {
    const file = JSON.parse(readFileSync(`${CASES}/guidellm/concurrent.json`, "utf8"));
    file.benchmarks[0].requests.successful = null;
    const [result] = parseForeign(JSON.stringify(file), "short.json");
    const whole = levelOf("guidellm/concurrent.json");
    expect(result?.levels[0]?.ttftMs?.mean).toBeCloseTo(whole.ttftMs?.mean ?? 0, 6);
    expect(result?.levels[0]?.tpotMs).toMatchObject({ n: 24, p90: null });
    expect(result?.notes.join()).toContain("weighted by tokens");
  });

  it("computes vLLM's own statistics again from its lists, and leaves out tails that so few requests do not support", () => {
    const file = JSON.parse(readFileSync(`${CASES}/vllm/chat-detailed.json`, "utf8"));
    const level = levelOf("vllm/chat-detailed.json");
    expect(level.ttftMs?.mean).toBeCloseTo(file.mean_ttft_ms, 6);
    expect(level.ttftMs?.p50).toBeCloseTo(file.median_ttft_ms, 6);
    expect(level.tpotMs?.p50).toBeCloseTo(file.median_tpot_ms, 6);
    expect(level.e2eMs?.mean).toBeCloseTo(file.mean_e2el_ms, 6);
    expect(level.chunkGapMs?.p50).toBeCloseTo(file.median_itl_ms, 6);
    expect(level.ttftMs?.p99).toBeNull();
    expect(level.startedAt).toBe("2026-11-24T15:52:27.000Z");
  });

  it("keeps tails that enough requests support, and does not know a minimum that is not in the file", () => {
    expect(levelOf("vllm-rust/chat.json").ttftMs).toEqual({
      ...{ n: 640, mean: 410, p50: 400, p90: 480, p95: null, p99: null, min: null, max: null },
    });
  });

  it("says of a chat endpoint that vLLM's first token may be a role, and shows it as first event too", () => {
    const chat = parseCase("vllm/chat-detailed.json");
    expect(chat.notes.join()).toContain("only a role");
    expect(chat.levels[0]?.firstEventMs).toEqual(chat.levels[0]?.ttftMs);
    expect(parseCase("vllm/rate-with-failures.json").notes.join()).not.toContain("only a role");
  });

  it("goes by the server's token count where AIPerf's own tokenizer counted otherwise, and then knows no TPOT", () => {
    const file = JSON.parse(readFileSync(`${CASES}/aiperf/concurrency.json`, "utf8"));
    file.total_output_tokens.avg = 864;
    const [result] = parseForeign(JSON.stringify(file), "aiperf.json");
    expect(result?.levels[0]).toMatchObject({ outputTokens: 288, tpotMs: null, userTokS: null });
    expect(result?.notes.join()).toContain("--use-server-token-count");
  });

  it("knows no tokens where inference-perf counted others than the server", () => {
    const file = JSON.parse(readFileSync(`${CASES}/inference-perf/stage-concurrency.json`, "utf8"));
    file.successes.token_count_mismatches = 24;
    const [result] = parseForeign(JSON.stringify(file), "stage.json");
    expect(result?.levels[0]).toMatchObject({ outputTokens: null, tpotMs: null });
    expect(result?.levels[0]?.ttftMs).not.toBeNull();
  });

  it("doubts SGLang's tokens where its own tokenizer counts other numbers than were asked for", () => {
    expect(parseCase("sglang/random.jsonl").notes.join()).toContain("20480 tokens, not 24576");
    expect(parseCase("sglang/random.jsonl").shape).toMatchObject({ inputTokens: 1024, outputTokens: 512 });
  });

  it("shows ipex-llm's next token latency as the chunk gap that it is, and no median, which it does not print", () => {
    expect(levelOf("ipex-llm/online-benchmark.txt")).toMatchObject({
      concurrency: 12,
      durationMs: 195_100,
      tpotMs: null,
      ttftMs: { mean: 812.3, p50: null, p90: null },
      chunkGapMs: { mean: 94.1, p50: null },
    });
  });

  it("takes failed requests out of ipex-llm's throughput, which counts them as whole answers", () => {
    const whole = levelOf("ipex-llm/online-benchmark.txt");
    const failed = levelOf("ipex-llm/two-failed.txt");
    expect(failed).toMatchObject({ requests: 48, ok: 46 });
    expect(failed.outputTokens).toBeCloseTo(((whole.outputTokens ?? 0) * 46) / 48, -1);
    expect(failed.failures).toEqual(["Request failed: HTTPConnectionPool read timed out."]);
  });

  it("reads a file of several JSON lines as several results", () => {
    const line = readFileSync(`${CASES}/sglang/random.jsonl`, "utf8").trim();
    expect(parseForeign(`${line}\n${line}\n`, "two.jsonl")).toHaveLength(2);
  });

  it.each([
    ["an empty file", "", "neither JSON nor the output of vllm_online_benchmark.py"],
    ["prose", "it was fast", "neither JSON nor"],
    ["JSON of something else", '{"name":"x","version":"1"}', "it is JSON with name, version"],
    ["a record of ours", '{"schema":"arc-vllm/v1"}', "it is a record of arc-vllm already"],
    ["a list", "[1]", "not a JSON object"],
  ])("refuses %s and names the tools it knows", (_, text, why) => {
    expect(() => parseForeign(text, "x.json")).toThrowError(
      expect.objectContaining({ code: "RECORD_INVALID", message: expect.stringContaining(why) }),
    );
    expect(() => parseForeign(text, "x.json")).toThrow(/GuideLLM, AIPerf/);
  });

  it("names the place in a file whose format has changed", () => {
    const file = JSON.parse(readFileSync(`${CASES}/aiperf/concurrency.json`, "utf8"));
    file.benchmark_duration = "1.5 s";
    expect(() => parseForeign(JSON.stringify(file), "aiperf.json")).toThrow(
      /looks like a result of AIPerf, but benchmark_duration/,
    );
  });
});

function within(value: number | null | undefined, low: number, high: number): boolean {
  return typeof value === "number" && value >= low && value <= high;
}
