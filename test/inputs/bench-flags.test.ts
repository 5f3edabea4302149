import { describe, expect, it } from "vitest";
import { benchResultName, parseBenchFlags } from "../../src/inputs/bench-flags.ts";
import { secretsFrom } from "./config-text.ts";

function parse(flags: Record<string, string>, env: Record<string, string> = {}) {
  return parseBenchFlags({ model: "m", ...flags }, secretsFrom(env));
}

describe("parseBenchFlags()", () => {
  it("has the defaults of vllm bench serve", () => {
    const { serve, workload, result, requestsFile } = parse({});
    expect(serve).toMatchObject({
      engine: "url",
      baseUrl: "http://127.0.0.1:8000",
      servedModelName: "m",
      apiKey: null,
    });
    expect(workload).toEqual({
      name: "bench",
      endpoint: "/v1/completions",
      inputTokens: 1024,
      outputTokens: 128,
      concurrency: [1000],
      requestsPerLevel: 1000,
      requestRate: null,
      repeats: 1,
      warmupWaves: 0,
      seed: 0,
      ignoreEos: false,
      temperature: 0,
      stallTimeoutMs: 60_000,
      totalTimeoutMs: 600_000,
    });
    expect({ result, requestsFile }).toEqual({ result: null, requestsFile: null });
  });

  it("takes what people type for vllm bench serve", () => {
    const { serve, workload, result } = parse({
      backend: "openai-chat",
      "base-url": "http://gpu:8000/v1/",
      "num-prompts": "32",
      "max-concurrency": "1,8,16",
      "random-input-len": "512",
      "random-output-len": "64",
      "ignore-eos": "true",
      "num-warmups": "20",
      seed: "7",
      "save-result": "true",
      "result-dir": "out",
      "stall-timeout": "5",
      "total-timeout": "1m",
    });
    expect(serve.baseUrl).toBe("http://gpu:8000");
    expect(workload).toMatchObject({
      endpoint: "/v1/chat/completions",
      concurrency: [1, 8, 16],
      requestsPerLevel: 32,
      warmupWaves: 2,
      ignoreEos: true,
      stallTimeoutMs: 5000,
      totalTimeoutMs: 60_000,
    });
    expect(result).toEqual({ dir: "out", filename: null });
  });

  it("warms up with two waves when a concurrency is given", () => {
    expect(parse({ "max-concurrency": "8" }).workload.warmupWaves).toBe(2);
    expect(parse({ "max-concurrency": "8", "num-warmups": "0" }).workload.warmupWaves).toBe(0);
  });

  it("opens the loop at a request rate", () => {
    expect(parse({ "request-rate": "2.5" }).workload).toMatchObject({ requestRate: 2.5, concurrency: [1] });
  });

  it.each([
    { flags: {}, is: {} },
    { flags: { burstiness: "0.5" }, is: { arrivals: "gamma", burstiness: 0.5 } },
    { flags: { burstiness: "inf" }, is: { arrivals: "constant" } },
    { flags: { "max-concurrency": "4" }, is: { maxConcurrency: 4 } },
  ])("shapes an open loop as vllm bench serve does with $flags", ({ flags, is }) => {
    const { arrivals, burstiness, maxConcurrency, concurrency } = parse({ "request-rate": "2", ...flags }).workload;
    expect({ arrivals, burstiness, maxConcurrency, concurrency }).toEqual({ concurrency: [1], ...is });
  });

  it("takes the limits of goodput", () => {
    expect(parse({ goodput: "ttft:500 tpot:50,e2el:30000" }).workload.slo).toEqual({
      ttftMs: 500,
      tpotMs: 50,
      e2eMs: 30_000,
    });
  });

  it("sweeps concurrency or rates instead of given ones", () => {
    expect(parse({ sweep: "concurrency", "sweep-to": "32" }).workload).toMatchObject({
      concurrency: [1],
      requestRate: null,
      requestsPerLevel: 64,
      warmupWaves: 2,
      sweep: { of: "concurrency", from: 1, to: 32, goodPct: 90 },
    });
    const rates = { sweep: "rate", "sweep-from": "0.5", "num-prompts": "200", "max-concurrency": "4" };
    expect(parse({ ...rates, burstiness: "inf" }).workload).toMatchObject({
      concurrency: [1],
      requestRate: 0.5,
      requestsPerLevel: 200,
      maxConcurrency: 4,
      arrivals: "constant",
      sweep: { of: "rate", from: 0.5, to: 256 },
    });
  });

  it.each([
    { strategy: "linear", ramp: undefined },
    { strategy: "exponential", ramp: "exponential" },
  ])("ramps a rate up $strategy", ({ strategy, ramp }) => {
    const flags = { "ramp-up-strategy": strategy, "ramp-up-start-rps": "1", "ramp-up-end-rps": "16" };
    const { workload } = parse({ ...flags, "max-concurrency": "8" });
    expect(workload).toMatchObject({ requestRate: 16, rampFromRate: 1, concurrency: [1], maxConcurrency: 8 });
    expect(workload.ramp).toBe(ramp);
  });

  it("replays a trace", () => {
    const { workload } = parse({ trace: "t.jsonl", "trace-speed": "2", "max-concurrency": "64" });
    expect(workload).toMatchObject({
      inputTokens: null,
      concurrency: [1],
      requestRate: null,
      maxConcurrency: 64,
      requestsPerLevel: 1_000_000,
      trace: { path: "t.jsonl", speed: 2, blockTokens: 512, unit: "ms" },
    });
    expect(parse({ trace: "t.jsonl", "num-prompts": "50" }).workload.requestsPerLevel).toBe(50);
  });

  it.each([
    { flags: {}, sessions: { turns: 4, turnInputTokens: 1024, thinkMs: 0 } },
    {
      flags: { turns: "3", "turn-input-len": "64", "think-time": "1.5" },
      sessions: { turns: 3, turnInputTokens: 64, thinkMs: 1500 },
    },
    { flags: { "random-input-len": "200" }, sessions: { turns: 4, turnInputTokens: 200, thinkMs: 0 } },
    { flags: { "dataset-path": "c.json" }, sessions: { turns: null, turnInputTokens: null, thinkMs: 0 } },
  ])("holds sessions of several turns with $flags", ({ flags, sessions }) => {
    const { workload } = parse({ "multi-turn": "true", "max-concurrency": "8", ...(flags as Record<string, string>) });
    expect(workload).toMatchObject({ endpoint: "/v1/chat/completions", concurrency: [8], sessions });
  });

  it("spreads lengths as vLLM's --random-range-ratio does", () => {
    expect(parse({ "random-range-ratio": "0.2" }).workload.lengthSpread).toBe(0.2);
    expect(parse({ "random-range-ratio": "0" }).workload.lengthSpread).toBeUndefined();
  });

  it("puts a shared prefix before the random part of each prompt, as vLLM does", () => {
    const { inputTokens, sharedPrefixTokens } = parse({
      "random-prefix-len": "100",
      "random-input-len": "28",
    }).workload;
    expect({ inputTokens, sharedPrefixTokens }).toEqual({ inputTokens: 128, sharedPrefixTokens: 100 });
  });

  it.each([
    { flags: {}, lengths: "file", outputTokens: 256 },
    { flags: { "dataset-name": "custom", "custom-output-len": "-1" }, lengths: "file", outputTokens: 256 },
    { flags: { "dataset-name": "custom", "custom-output-len": "200" }, lengths: "workload", outputTokens: 200 },
    { flags: { "dataset-name": "sharegpt" }, lengths: "file", outputTokens: 256 },
    { flags: { "dataset-name": "sharegpt", "sharegpt-output-len": "64" }, lengths: "workload", outputTokens: 64 },
  ])("takes prompts from --dataset-path with $flags", ({ flags, lengths, outputTokens }) => {
    const { workload } = parse({ "dataset-path": "p.jsonl", ...(flags as Record<string, string>) });
    expect(workload).toMatchObject({
      inputTokens: null,
      outputTokens,
      prompts: { path: "p.jsonl", outputLengths: lengths },
    });
  });

  it.each([
    { flags: { "num-prompts": "0" }, says: '--num-prompts: found "0", wanted an integer from 1 to 1000000' },
    { flags: { "max-concurrency": "1,x" }, says: '--max-concurrency: found "1,x", wanted a number from 1 to 4096' },
    { flags: { "max-concurrency": "8,8" }, says: "--max-concurrency:" },
    { flags: { "request-rate": "fast" }, says: '--request-rate: found "fast", wanted a number of requests per second' },
    { flags: { "request-rate": "0" }, says: "--request-rate:" },
    { flags: { "request-rate": "2", "max-concurrency": "4,8" }, says: "--max-concurrency: found 2 levels beside" },
    { flags: { burstiness: "2" }, says: "--burstiness: found without --request-rate" },
    { flags: { "request-rate": "2", burstiness: "0" }, says: "--burstiness: found" },
    { flags: { goodput: "ttft:500,ttft:600" }, says: "--goodput: found" },
    { flags: { goodput: "itl:5" }, says: "--goodput: found" },
    { flags: { "base-url": "gpu:8000" }, says: '--base-url: found "gpu:8000", wanted a URL such as' },
    { flags: { endpoint: "/v1/complete" }, says: 'did you mean "/v1/completions"?' },
    { flags: { "stall-timeout": "600" }, says: "--total-timeout: not above --stall-timeout" },
    { flags: { "result-filename": "a/b.json", "save-result": "true" }, says: "--result-filename: found a path" },
    { flags: { "result-filename": "b.json" }, says: "--result-filename: found without --save-result" },
    { flags: { model: " " }, says: "--model: missing" },
    {
      flags: { "dataset-name": "sharegpt" },
      says: "--dataset-path: missing, wanted the file of --dataset-name sharegpt",
    },
    { flags: { "dataset-name": "sharegtp" }, says: 'did you mean "sharegpt"?' },
    {
      flags: { "dataset-name": "random", "dataset-path": "p" },
      says: "--dataset-path: found without --dataset-name custom or sharegpt",
    },
    {
      flags: { "dataset-path": "p", "random-input-len": "5" },
      says: "--random-input-len: found beside the prompts of a",
    },
    { flags: { "custom-output-len": "5" }, says: "--custom-output-len: found without --dataset-name custom" },
    {
      flags: { "dataset-path": "p", "sharegpt-output-len": "5" },
      says: "--sharegpt-output-len: found without --dataset-name sharegpt",
    },
    { flags: { "dataset-path": "p", "custom-output-len": "0" }, says: "--custom-output-len: found" },
    { flags: { "sweep-to": "8" }, says: "--sweep-to: found without --sweep, wanted both" },
    { flags: { sweep: "rate", "request-rate": "2" }, says: "--request-rate: found beside --sweep rate" },
    { flags: { sweep: "concurrency", "max-concurrency": "2" }, says: "--max-concurrency: found beside --sweep" },
    { flags: { sweep: "concurrency", "sweep-from": "0.5" }, says: "wanted integers from 1 to 4096" },
    { flags: { sweep: "rate", "sweep-to": "1" }, says: "--sweep-to: found 1, wanted more than --sweep-from (1)" },
    { flags: { sweep: "rate", "sweep-good-pct": "95" }, says: "--sweep-good-pct: found without --goodput" },
    { flags: { "ramp-up-strategy": "linear" }, says: "--ramp-up-start-rps: missing, wanted beside --ramp-up-strategy" },
    { flags: { "ramp-up-start-rps": "2", "ramp-up-end-rps": "4" }, says: "--ramp-up-strategy: missing, wanted beside" },
    {
      flags: { "ramp-up-strategy": "linear", "ramp-up-start-rps": "2", "ramp-up-end-rps": "2" },
      says: "--ramp-up-end-rps: found 2, wanted more than --ramp-up-start-rps (2)",
    },
    {
      flags: { "ramp-up-strategy": "linear", "ramp-up-start-rps": "1", "ramp-up-end-rps": "2", "request-rate": "3" },
      says: "--request-rate: found beside --ramp-up-strategy",
    },
    { flags: { "trace-speed": "2" }, says: "--trace-speed: found without --trace, wanted both" },
    { flags: { trace: "t", "request-rate": "2" }, says: "--request-rate: found beside --trace, which decides on it" },
    { flags: { trace: "t", "random-input-len": "2" }, says: "--random-input-len: found beside --trace" },
    { flags: { trace: "t", "max-concurrency": "2,3" }, says: "--max-concurrency: found 2 levels beside --trace" },
    { flags: { turns: "2" }, says: "--turns: found without --multi-turn, wanted both" },
    { flags: { "multi-turn": "true", "request-rate": "2" }, says: "--request-rate: found beside --multi-turn" },
    { flags: { "multi-turn": "true", endpoint: "/v1/completions" }, says: "--endpoint: found" },
    {
      flags: { "multi-turn": "true", "dataset-path": "p", "turn-input-len": "4" },
      says: "--turn-input-len: found beside --dataset-path",
    },
    { flags: { trace: "t", "multi-turn": "true" }, says: "--multi-turn: found beside --trace" },
    { flags: { "random-range-ratio": "1" }, says: "--random-range-ratio: found" },
    { flags: { seed: "-1" }, says: "--seed:" },
    { flags: { temperature: "3" }, says: "--temperature:" },
  ])("refuses $flags and names the flag", ({ flags, says }) => {
    const attempt = () => parse(flags as unknown as Record<string, string>);
    expect(attempt).toThrow(expect.objectContaining({ code: "INPUT_INVALID", message: expect.stringContaining(says) }));
  });

  it("makes the load of ipex-llm's script with --online-benchmark, and refuses flags that it would ignore", () => {
    const { workload, isOnlineBenchmark } = parse({ "online-benchmark": "true", "max-concurrency": "12" });
    expect(isOnlineBenchmark).toBe(true);
    expect(workload).toMatchObject({ requestsPerLevel: 48, inputTokens: 1024, outputTokens: 512, ignoreEos: true });
    const mixed = { "online-benchmark": "true", "num-prompts": "5", backend: "openai-chat" };
    expect(() => parse(mixed)).toThrow(
      /--num-prompts: found beside[\s\S]*--backend:[\s\S]*--max-concurrency: wanted one/,
    );
  });

  it("takes the API key from the environment, by name", () => {
    expect(parse({ "api-key-env": "MY_KEY" }, { MY_KEY: "k" }).serve.apiKey?.reveal()).toBe("k");
    expect(parse({}, { ARC_VLLM_API_KEY: "usual" }).serve.apiKey?.reveal()).toBe("usual");
    expect(() => parse({ "api-key-env": "MY_KEY" })).toThrow(
      expect.objectContaining({ code: "SECRET_MISSING", message: expect.stringContaining("MY_KEY") }),
    );
  });
});

describe("benchResultName()", () => {
  it("says rate, concurrency and model", () => {
    const name = benchResultName(parse({ model: "org/My Model", "max-concurrency": "8" }), "2026-11-24T09:08:07.000Z");
    expect(name).toBe("openai-infqps-concurrency8-My_Model-20261124-090807.json");
  });
});
