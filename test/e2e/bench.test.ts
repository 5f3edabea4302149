import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultServer, startFaultServer } from "../fakes/fault-server.ts";
import { runCli } from "./mini-runner.ts";

let server: FaultServer;
beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(() => server[Symbol.asyncDispose]());

function bench(model: string, more: readonly string[] = [], cwd = mkdtempSync(join(tmpdir(), "arc-vllm-bench-"))) {
  const args = [
    ...["bench", "--base-url", server.baseUrl, "--model", model, "--num-prompts", "6", "--max-concurrency", "2"],
    ...["--random-input-len", "8", "--random-output-len", "8", "--ignore-eos", "--num-warmups", "0"],
    ...["--certificate-seconds", "0", ...more],
  ];
  return runCli(args, { cwd });
}

describe("arc-vllm bench", () => {
  it("measures an endpoint and writes what vllm bench serve writes, and one line per request", async () => {
    const cwd = mkdtempSync(join(tmpdir(), "arc-vllm-bench-"));
    const files = ["--save-result", "--result-dir", "out", "--result-filename", "r.json", "--save-requests", "q.jsonl"];
    const { exitCode, stdout } = await bench("m@plain", files, cwd);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("TPOT p50 ms/token");

    const result = JSON.parse(readFileSync(join(cwd, "out/r.json"), "utf8"));
    expect(result).toMatchObject({ completed: 6, failed: 0, total_output_tokens: 48, max_concurrency: 2 });
    expect(result.mean_ttft_ms).toBeGreaterThan(0);

    const lines = readFileSync(join(cwd, "q.jsonl"), "utf8").trim().split("\n");
    expect(lines).toHaveLength(6);
    for (const line of lines) {
      const request = JSON.parse(line);
      expect(request).toMatchObject({ outcome: "ok", tokens: 8, rid: expect.stringContaining("arc-") });
      expect(request.sentNs).toBeLessThan(request.firstNs);
      expect(request.firstNs).toBeLessThan(request.lastNs);
      expect(request.lastNs).toBeLessThanOrEqual(request.endNs);
      expect(request.chunkNs).toHaveLength(8);
    }
  });

  it.each([
    { model: "m@nope", code: "MODEL_NOT_FOUND" },
    { model: "m@html", code: "ENDPOINT_NOT_OPENAI" },
    { model: "m@whole-json", code: "ENDPOINT_NOT_OPENAI" },
    { model: "m@401", code: "ENDPOINT_UNAUTHORIZED" },
  ])("exits 4 with $code when asked for $model", async ({ model, code }) => {
    const { exitCode, stderr } = await bench(model);
    expect(stderr).toContain(code);
    expect(stderr).toContain(server.baseUrl);
    expect(exitCode).toBe(4);
  });

  it("exits 5 when the stream is empty, never with a speed", async () => {
    const { exitCode, stdout, stderr } = await bench("m@empty");
    expect(stderr).toContain("BENCH_NO_TOKENS");
    expect(stdout).not.toContain("tok/s");
    expect(exitCode).toBe(5);
  });

  it("certifies this client once the server has answered, and says what that came to", async () => {
    const { exitCode, stdout, stderr } = await bench("m@plain", ["--certificate-seconds", "1", "--json"]);
    const { certificate, points } = JSON.parse(stdout);
    expect(points).toMatchObject([{ requests: 6, outcomes: { ok: 6 } }]);
    expect(certificate).toMatchObject({ miscounted: 0, machine: { node: process.versions.node } });
    expect(stderr).toMatch(/This client (is certified for|failed its check at) \d+ streams and/);
    // How late this machine is at the moment decides.
    if (certificate.problems.length > 0) expect(exitCode).toBe(5);
  });

  it("ends a stalled stream by its time-out and keeps the rest of the run", async () => {
    const cwd = mkdtempSync(join(tmpdir(), "arc-vllm-bench-"));
    const limits = ["--stall-timeout", "1", "--total-timeout", "20", "--save-requests", "q.jsonl"];
    const { exitCode } = await bench("m@stall", limits, cwd);
    expect(exitCode).not.toBeNull();
    const outcomes = readFileSync(join(cwd, "q.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).outcome);
    expect(outcomes).toHaveLength(6);
    expect(outcomes).toContain("stall_timeout");
  });
});

describe("arc-vllm bench, in every shape of load", () => {
  const TRACE = [0, 150, 300].map((timestamp) =>
    JSON.stringify({ timestamp, input_length: 40, output_length: 4, hash_ids: [1, timestamp] }),
  );
  const QUESTIONS = ["w1 w2", "w3 w4"].map((prompt) => JSON.stringify({ prompt, output_tokens: 3 }));

  const SHORT = ["--random-input-len", "8", "--random-output-len", "4"];
  const TWO = ["--max-concurrency", "2"];

  it.each([
    {
      name: "a sweep",
      args: [...SHORT, "--sweep", "concurrency", "--sweep-to", "2", "--num-prompts", "12"],
      says: /bench holds \d requests? in flight/,
    },
    {
      name: "sessions",
      args: [...SHORT, ...TWO, "--multi-turn", "--turns", "2", "--num-prompts", "4"],
      says: /│ bench c=2 +│ +2 │ +2 │ +2 │/,
    },
    {
      name: "a prompt file",
      args: [...TWO, "--dataset-path", "questions.jsonl", "--num-prompts", "2"],
      says: /│ +2 │ +2 │/,
    },
    {
      name: "a trace",
      args: ["--trace", "trace.jsonl", "--trace-block-size", "16"],
      says: /│ 6.67 req\/s │ +1 │ +3 │ +3 │/,
    },
    {
      name: "an exponential ramp",
      args: [
        ...[...SHORT, "--ramp-up-strategy", "exponential", "--ramp-up-start-rps", "5", "--ramp-up-end-rps", "50"],
        ...["--num-prompts", "8"],
      ],
      says: /│ 50 req\/s +│ +1 │ +8 │ +8 │/,
    },
  ])("measures $name", async ({ args, says }) => {
    const cwd = mkdtempSync(join(tmpdir(), "arc-vllm-bench-"));
    writeFileSync(join(cwd, "trace.jsonl"), TRACE.join("\n"));
    writeFileSync(join(cwd, "questions.jsonl"), QUESTIONS.join("\n"));
    const usual = ["--base-url", server.baseUrl, "--model", "m@plain", "--ignore-eos", "--num-warmups", "0"];
    const { stdout, stderr } = await runCli(["bench", ...usual, "--certificate-seconds", "0", ...args], { cwd });
    expect(stdout, stderr).toMatch(says);
  });
});
