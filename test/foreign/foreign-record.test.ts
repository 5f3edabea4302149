import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { analyse } from "../../src/analyse/analyse.ts";
import { type ForeignOptions, foreignRecord } from "../../src/foreign/foreign-record.ts";
import { parseForeign } from "../../src/foreign/parse-foreign.ts";
import { exportVllm } from "../../src/foreign/vllm-export.ts";
import { parseRunRecord } from "../../src/record/parse-run-record.ts";
import type { RunRecord } from "../../src/record/run-record.ts";
import {
  exampleDeployment,
  exampleGate,
  examplePoint,
  exampleRecord,
  exampleWorkload,
} from "../fakes/example-record.ts";

const CASES = resolve(import.meta.dirname, "../cases/import");
const gate = exampleGate({ allowImported: true });

function imported(files: readonly string[], options: Partial<ForeignOptions> = {}): RunRecord {
  const read = files.map((path) => {
    const text = readFileSync(`${CASES}/${path}`, "utf8");
    return { path, text, results: parseForeign(text, path) };
  });
  return foreignRecord(read, { ...OPTIONS, ...options });
}

const OPTIONS: ForeignOptions = {
  ...{ host: "arc-01", workload: "chat", concurrency: null, minSuccessRatio: 1 },
  ...{ toolVersion: "0.1.0", isoNow: "2026-09-30T00:00:00.000Z" },
};

describe("foreignRecord()", () => {
  it.each([
    "vllm/chat-detailed.json",
    "vllm-rust/chat.json",
    "aiperf/concurrency.json",
    "guidellm/concurrent.json",
    "inference-perf/stage-concurrency.json",
    "sglang/random.jsonl",
    "ipex-llm/online-benchmark.txt",
  ])("makes of %s a record that is read back as it was written", (file) => {
    const record = imported([file]);
    expect(record).toMatchObject({ state: "complete", simulated: false, validity: { ok: true }, eligible: true });
    expect(parseRunRecord(JSON.stringify(record), "record.json")).toEqual(record);
  });

  it("takes the same level in several files as repeats, and gives the same files the same name", () => {
    const files = ["vllm/chat-detailed.json", "vllm/chat-detailed.json"];
    expect(imported(files).points.map(({ concurrency, repeat }) => [concurrency, repeat])).toEqual([
      [4, 0],
      [4, 1],
    ]);
    expect(imported(files).run.id).toBe(imported(files).run.id);
    expect(imported(files).run.id).not.toBe(imported(["vllm/chat-detailed.json"]).run.id);
  });

  it("refuses files of different measurements in one record and says in what they differ", () => {
    expect(() => imported(["vllm/chat-detailed.json", "aiperf/concurrency.json"])).toThrow(/tool is AIPerf/);
    expect(() => imported(["vllm/chat-detailed.json", "vllm/rate-with-failures.json"])).toThrow(
      /model is m@503, not m/,
    );
  });

  it("takes repeats together whose lengths are not all alike, and then knows no length", () => {
    const path = "vllm/chat-detailed.json";
    const text = readFileSync(`${CASES}/${path}`, "utf8");
    const other = text.replace('"total_output_tokens": 288', '"total_output_tokens": 287');
    const files = [text, other].map((one) => ({ path, text: one, results: parseForeign(one, path) }));
    const record = foreignRecord(files, OPTIONS);
    expect(record.points).toHaveLength(2);
    expect(record.fingerprint?.hardFields).not.toHaveProperty("workload chat: outputTokens");
    expect(imported([path]).fingerprint?.hardFields).toMatchObject({ "workload chat: outputTokens": 12 });
  });

  it("asks for the concurrency where a file does not say it", () => {
    expect(() => imported(["inference-perf/summary.json"])).toThrow(/how many requests were in flight/);
    expect(imported(["inference-perf/summary.json"], { concurrency: 4 }).points[0]?.concurrency).toBe(4);
  });

  it("is not valid when requests failed, and keeps the tool's words", () => {
    const record = imported(["aiperf/rate-with-failures.json"]);
    expect(record.validity.ok).toBe(false);
    expect(record.eligible).toBe(false);
    expect(record.points[0]?.warnings[0]).toContain("3 x 503 Service Unavailable");
  });
});

describe("analyse() with an imported record", () => {
  const baseline = imported(["sglang/random.jsonl", "sglang/random.jsonl", "sglang/random.jsonl"]);
  const ours = (tokS: number, inputTokens = 1024): RunRecord =>
    exampleRecord({
      workloads: [exampleWorkload({ inputTokens })],
      deployment: exampleDeployment({ servedModelName: "Llama-3.1-8B-Instruct" }),
      points: [0, 1, 2].map((repeat) => examplePoint({ repeat, outputTokS: tokS + repeat, ttftMs: 880, tpotMs: 26.9 })),
      run: { ...exampleRecord().run, id: "ours", startedAt: "2026-10-24T02:00:00.000Z" },
    });

  it("never takes it for a baseline unless that is allowed", () => {
    const analysis = analyse(ours(410), [baseline], exampleGate());
    expect(analysis).toMatchObject({ status: "CALIBRATING", baselineRunId: null });
    expect(analysis.warnings.join()).toContain(
      "imported from SGLang bench_serving, and gate.allow-imported is not set",
    );
  });

  it("compares what both say when it is allowed, and names what was not compared", () => {
    expect(analyse(ours(300), [baseline], gate)).toMatchObject({
      status: "REGRESSION",
      baselineRunId: baseline.run.id,
    });
    const analysis = analyse(ours(409), [baseline], gate);
    expect(analysis.status).toBe("PASS");
    expect(analysis.warnings.join()).toMatch(/not compared: .*gpus/);
    expect(analysis.warnings.join()).toContain("every request opens a connection of its own");
  });

  it("refuses one that says another shape of the workload", () => {
    const analysis = analyse(ours(410, 2048), [baseline], gate);
    expect(analysis.status).toBe("RECIPE_MISMATCH");
    expect(analysis.differences).toEqual([{ field: "workload chat: inputTokens", baseline: "1024", current: "2048" }]);
  });

  it("leaves out metrics that the tool does not say, with a word, and judges the others", () => {
    const ipex = imported(["ipex-llm/online-benchmark.txt", "ipex-llm/online-benchmark.txt"]);
    const analysis = analyse(ipex, [imported(["ipex-llm/two-failed.txt"], { minSuccessRatio: 0.5 })], gate);
    expect(analysis.comparisons.map(({ metric }) => metric)).toEqual(["output_tok_s", "success_ratio"]);
    expect(analysis.warnings.join()).toContain("tpot_p50_ms was not compared: the files of ipex-llm");
  });
});

describe("exportVllm()", () => {
  it("writes what the import reads back, in vLLM's keys", () => {
    const record = exampleRecord();
    const [first, ...others] = exportVllm(record);
    expect(first?.name).toBe("arc-01-run-1-chat-c12-r1.json");
    expect(others).toHaveLength(2);
    const [back] = parseForeign(JSON.stringify(first?.result), "exported.json");
    const [point] = record.points;
    expect(back?.levels[0]).toMatchObject({
      concurrency: 12,
      requests: 96,
      ok: 96,
      durationMs: point?.durationMs,
      outputTokens: point?.metrics.outputTokens,
      ttftMs: { p50: point?.metrics.ttftMs?.p50, p90: point?.metrics.ttftMs?.p90 },
      tpotMs: { p50: point?.metrics.tpotMs?.p50 },
    });
  });

  it("marks what an embedded host produced", () => {
    expect(exportVllm(exampleRecord({ simulated: true }))[0]?.result).toMatchObject({ simulated: "true" });
    expect(exportVllm(exampleRecord())[0]?.result).not.toHaveProperty("simulated");
  });
});
