import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type CliResult, repository, runCli } from "../../e2e/mini-runner.ts";

const engine = process.env["ARC_VLLM_ENGINE_DIR"] ?? join(repository, ".cache/real-vllm");
const PORT = 18_437;

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "arc-vllm-pipeline-"));
  writeConfig(8);
});

function writeConfig(requests: number): void {
  writeFileSync(
    join(cwd, "arc-vllm.yml"),
    `
version: 1
hosts: [{ name: here, connection: local }]
serve:
  engine: vllm
  venv: ${engine}/venv
  model: ${engine}/model
  served-model-name: tiny
  port: ${PORT}
  flags:
    distributed-executor-backend: uni
    enforce-eager: true
    dtype: float32
    max-model-len: 2048
    max-num-seqs: 8
    kv-cache-memory-bytes: 134217728
  env:
    HF_HUB_OFFLINE: "1"
    TRANSFORMERS_OFFLINE: "1"
    VLLM_HOST_IP: 127.0.0.1
    VLLM_ENABLE_V1_MULTIPROCESSING: "0"
    OMP_NUM_THREADS: "1"
    TORCH_COMPILE_DISABLE: "1"
  ready-timeout: 170s
workloads:
  - { name: short, input-tokens: 32, output-tokens: 16, concurrency: [1, 4], requests-per-level: ${requests}, repeats: 2 }
gate:
  metrics:
    output_tok_s: { delta-pct: 80, budget-pct: 90 }
history: { store: folder, path: history }
`,
  );
}

function record(): { state: string; points: unknown[]; failure: { code: string } | null } {
  const name = readdirSync(join(cwd, "arc-vllm-report")).find((file) => file.startsWith("record-")) ?? "";
  return JSON.parse(readFileSync(join(cwd, "arc-vllm-report", name), "utf8"));
}

/** Whether anything of the server is alive: its processes carry the path of the model. */
function serverProcesses(): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return line.includes(`${engine}/model`) && line.includes(String(PORT));
    } catch {
      return false;
    }
  });
}

async function nothingLeft(withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (serverProcesses().length > 0 && Date.now() < deadline) await new Promise((done) => setTimeout(done, 250));
  expect(serverProcesses()).toEqual([]);
}

/** Starts a run that would measure for minutes and signals it once its log says `when`. */
function interrupted(signal: NodeJS.Signals, when: string): Promise<CliResult> {
  writeConfig(50_000);
  return runCli(["run", "--certificate-seconds", "0"], {
    cwd,
    onStart(child, log) {
      const timer = setInterval(() => {
        if (!log().includes(when)) return;
        clearInterval(timer);
        setTimeout(() => child.kill(signal), 1_500);
      }, 100);
      child.on("close", () => clearInterval(timer));
    },
  });
}

describe("arc-vllm run on a real vLLM", () => {
  it("serves, measures, keeps a history, and compares the second run with the first", async () => {
    const first = await runCli(["run", "--certificate-seconds", "0"], { cwd });
    expect(first.stdout).toContain("CALIBRATING");
    expect(first.exitCode).toBe(0);
    const second = await runCli(["run", "--certificate-seconds", "0"], { cwd });
    expect(second.stdout).toMatch(/^(PASS|IMPROVED|INCONCLUSIVE)/m);
    expect(second.exitCode).toBe(0);

    expect(record().state).toBe("complete");
    expect(record().points).toHaveLength(4);
    expect(readdirSync(join(cwd, "history/here"))).toHaveLength(2);
    expect(readFileSync(join(cwd, "arc-vllm-report/junit.xml"), "utf8")).toContain('<testsuites name="arc-vllm"');
    expect(readFileSync(join(cwd, "arc-vllm-report/summary.md"), "utf8")).toContain("tiny served by vllm 0.32.0");
    await nothingLeft(0);
  });

  it.each([
    { signal: "SIGINT", when: "Starting vllm server", exitCode: 130, withinMs: 0 },
    { signal: "SIGINT", when: "Measure short", exitCode: 130, withinMs: 0 },
    { signal: "SIGKILL", when: "Starting vllm server", exitCode: null, withinMs: 15_000 },
    { signal: "SIGKILL", when: "Measure short", exitCode: null, withinMs: 15_000 },
  ] as const)(
    'leaves a readable record and no server after $signal at "$when"',
    async ({ signal, when, exitCode, withinMs }) => {
      const result = await interrupted(signal, when);
      expect(result.exitCode).toBe(exitCode);
      await nothingLeft(withinMs);
      expect(record()).toMatchObject({ state: "partial" });
    },
  );

  it.each([
    { change: ["/model\n", "/no-model\n"], code: "MODEL_NOT_FOUND" },
    { change: ["/venv\n", "/no-venv\n"], code: "ENGINE_MISSING" },
    { change: ["max-model-len: 2048", "max-model-len: 1000000"], code: "SERVER_EXITED" },
    { change: ["ready-timeout: 170s", "ready-timeout: 2s"], code: "SERVER_NOT_READY" },
  ])("says $code and exits 4, and leaves no server", async ({ change, code }) => {
    const [from = "", to = ""] = change;
    const path = join(cwd, "arc-vllm.yml");
    writeFileSync(path, readFileSync(path, "utf8").replace(from, to));
    const { exitCode, stdout } = await runCli(["run", "--certificate-seconds", "0"], { cwd });
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 4, stdout: expect.stringContaining(code) });
    expect(record().failure).toMatchObject({ code });
    await nothingLeft(0);
  });
});
