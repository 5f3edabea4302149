import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/inputs/parse-config.ts";
import { EXAMPLE, KEYED_ENV, secretsFrom } from "./config-text.ts";

/** The example whose only workload is this piece of YAML; keys start at column 5 of line 16. */
function withWorkload(lines: readonly string[]): string {
  const [before] = EXAMPLE.split("workloads:");
  return `${before}workloads:\n  - ${["name: chat", ...lines].join("\n    ")}\n`;
}

const workloadOf = (lines: readonly string[]) =>
  parseConfig(withWorkload(lines), "arc-vllm.yml", secretsFrom(KEYED_ENV)).workloads[0];

describe("a workload of arc-vllm.yml", () => {
  it("takes prompts from a file, whose answers have lengths of their own", () => {
    expect(workloadOf(["output-tokens: 64", "prompts: {file: p.jsonl}"])).toMatchObject({
      inputTokens: null,
      outputTokens: 64,
      prompts: { path: "p.jsonl", outputLengths: "file" },
    });
    const fixed = workloadOf(["output-tokens: 64", "prompts: {file: p.jsonl, output-lengths: workload}"]);
    expect(fixed?.prompts?.outputLengths).toBe("workload");
  });

  it("replays a trace, which says all lengths itself", () => {
    expect(workloadOf(["load: {trace: {file: t.jsonl, speed: 2, requests: 100}}", "max-concurrency: 8"])).toMatchObject(
      {
        inputTokens: null,
        requestsPerLevel: 100,
        maxConcurrency: 8,
        trace: { path: "t.jsonl", speed: 2, blockTokens: 512, unit: "ms" },
      },
    );
  });

  it("holds sessions of several turns", () => {
    const shape = ["endpoint: /v1/chat/completions", "input-tokens: 64", "output-tokens: 32", "concurrency: [2, 4]"];
    expect(workloadOf([...shape, "load: {sessions: {turns: 3, think-time: 2s}}"])).toMatchObject({
      concurrency: [2, 4],
      requestRate: null,
      sessions: { turns: 3, turnInputTokens: 64, thinkMs: 2000 },
    });
    const ofFile = ["endpoint: /v1/chat/completions", "output-tokens: 32", "prompts: {file: c.json}"];
    expect(workloadOf([...ofFile, "load: {sessions: {}}"])?.sessions).toEqual({
      turns: null,
      turnInputTokens: null,
      thinkMs: 0,
    });
  });

  it("spreads lengths around those that are given", () => {
    const shape = ["input-tokens: 1000", "output-tokens: 500", "length-spread: 0.2"];
    expect(workloadOf(shape)).toMatchObject({ inputTokens: 1000, lengthSpread: 0.2 });
  });

  it("raises a rate by equal factors", () => {
    const shape = ["input-tokens: 8", "output-tokens: 64", "request-rate: 8", "ramp-from-rate: 1", "ramp: exponential"];
    expect(workloadOf(shape)).toMatchObject({ requestRate: 8, rampFromRate: 1, ramp: "exponential" });
  });

  it("sweeps concurrency or rates", () => {
    const shape = ["input-tokens: 8", "output-tokens: 64"];
    const sweep = { from: 1, to: 256, minGainPct: 5, goodPct: 90, refinements: 3 };
    expect(workloadOf([...shape, "load: {sweep: {of: concurrency}}"])).toMatchObject({
      concurrency: [1],
      requestRate: null,
      sweep: { of: "concurrency", ...sweep },
    });
    const rates = "load: {sweep: {of: rate, from: 0.5, to: 8, good-pct: 99, refinements: 1}}";
    expect(workloadOf([...shape, rates, "arrivals: constant", "max-concurrency: 32"])).toMatchObject({
      concurrency: [1],
      requestRate: 0.5,
      arrivals: "constant",
      sweep: { of: "rate", ...sweep, from: 0.5, to: 8, goodPct: 99, refinements: 1 },
    });
  });

  it.each([
    {
      lines: ["input-tokens: 1500", "output-tokens: 400", "length-spread: 0.2"],
      problem: "workloads[0].input-tokens: 1800 + 480 output tokens are over serve.flags.max-model-len (2048)",
    },
    {
      lines: ["input-tokens: 8", "output-tokens: 64", "load: {sessions: {}}"],
      problem: 'workloads[0].endpoint: found "/v1/completions" with "load.sessions", wanted one for chats',
    },
    {
      lines: ["input-tokens: 8", "output-tokens: 64", "load: {sessions: {}, sweep: {of: rate}}"],
      problem: 'workloads[0].load: found sweep and sessions, wanted one of "sweep", "trace", "sessions"',
    },
    {
      lines: ["input-tokens: 8", "load: {trace: {file: t.jsonl}}"],
      problem: 'workloads[0].input-tokens: found beside "load.trace", which decides on it itself',
    },
    {
      lines: ["requests-per-level: 10", "load: {trace: {file: t.jsonl}}"],
      problem: 'workloads[0].requests-per-level: found beside "load.trace", which decides on it itself',
    },
    {
      lines: ["input-tokens: 8"],
      problem: 'workloads[0].output-tokens: missing, wanted an integer from 1 to 1000000, or "load.trace"',
    },
    {
      lines: ["input-tokens: 8", "output-tokens: 64", "request-rate: 2", "ramp: linear"],
      problem: 'workloads[0].ramp: found without "ramp-from-rate", wanted both',
    },
    {
      lines: ["input-tokens: 8", "output-tokens: 64", "concurrency: [1, 2]", "load: {sweep: {of: concurrency}}"],
      problem: 'workloads[0].concurrency: found beside "load.sweep", which decides on it itself',
    },
    {
      lines: ["input-tokens: 8", "output-tokens: 64", "request-rate: 2", "load: {sweep: {of: rate}}"],
      problem: 'workloads[0].request-rate: found beside "load.sweep", which decides on it itself',
    },
    {
      lines: ["input-tokens: 8", "output-tokens: 64", "arrivals: gamma", "load: {sweep: {of: concurrency}}"],
      problem: 'workloads[0].arrivals: found without "request-rate", wanted both',
    },
    {
      lines: ["input-tokens: 8", "output-tokens: 64", "load: {sweep: {of: concurrency, from: 0.5}}"],
      problem: "workloads[0].load: sweep of concurrency from 0.5 to 256, wanted integers from 1 to 4096",
    },
    {
      lines: ["input-tokens: 8", "output-tokens: 64", "load: {sweep: {of: rate, from: 4, to: 2}}"],
      problem: "workloads[0].load: sweep.to is 2, wanted more than sweep.from (4)",
    },
    {
      lines: ["input-tokens: 8", "output-tokens: 64", "load: {}"],
      problem: 'workloads[0].load: found {}, wanted one of "sweep", "trace", "sessions"',
    },
    {
      lines: ["output-tokens: 64"],
      problem: 'workloads[0].input-tokens: missing, wanted an integer from 1 to 1000000, or "prompts.file"',
    },
    {
      lines: ["input-tokens: 8", "output-tokens: 64", "prompts: {file: p.jsonl}"],
      problem: 'workloads[0].input-tokens: found beside "prompts.file", wanted one of the two',
    },
    {
      lines: ["output-tokens: 64", "prompts: {file: p.jsonl, output-lengths: files}"],
      problem:
        'workloads[0].prompts.output-lengths: found "files", wanted one of "file", "workload", did you mean "file"?',
    },
  ])("is refused with $problem", ({ lines, problem }) => {
    expect(() => workloadOf(lines)).toThrow(
      expect.objectContaining({ code: "INPUT_INVALID", message: expect.stringContaining(problem) }),
    );
  });
});
