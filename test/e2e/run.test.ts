import ssh2 from "ssh2";
import { describe, expect, it } from "vitest";
import { runCli } from "./mini-runner.ts";
import { ServedWorkspace } from "./served-workspace.ts";

const LOOSE = "gate: { metrics: { output_tok_s: { delta-pct: 10, budget-pct: 40 } } }";

describe("arc-vllm run", () => {
  it("serves, measures and keeps a first record, then passes an equal run and fails a slower one", async () => {
    const workspace = await ServedWorkspace.make({ gate: LOOSE });
    const cwd = workspace.folder;

    const first = await runCli(["run", "--certificate-seconds", "0"], { cwd });
    expect(first.stdout).toMatch(/^CALIBRATING: nothing to compare with yet/m);
    expect(first.exitCode).toBe(0);

    const equal = await runCli(["run", "--certificate-seconds", "0"], { cwd });
    expect(equal.stdout).toMatch(/^(PASS|IMPROVED): /m);
    expect(equal.exitCode).toBe(0);

    workspace.configure({ gate: LOOSE, itlMs: 12 });
    const slower = await runCli(["run", "--certificate-seconds", "0", "--json"], { cwd });
    expect(JSON.parse(slower.stdout)).toMatchObject({ status: "REGRESSION", exitCode: 1 });
    expect(slower.exitCode).toBe(1);
    expect(workspace.read("arc-vllm-report/junit.xml").match(/<failure/g)).toHaveLength(1);
    expect(workspace.read("arc-vllm-report/summary.md")).toContain("REGRESSION");
    expect(workspace.alive()).toEqual([]);

    const again = await runCli(["run", "--certificate-seconds", "0"], { cwd });
    expect(again.stdout, "a regression never becomes the baseline").toMatch(/^REGRESSION: /m);
  });

  it("refuses to compare with a record of another workload", async () => {
    const workspace = await ServedWorkspace.make();
    await runCli(["run", "--certificate-seconds", "0"], { cwd: workspace.folder });
    const config = workspace.read("arc-vllm.yml").replace("input-tokens: 16", "input-tokens: 32");
    const { writeFileSync } = await import("node:fs");
    writeFileSync(`${workspace.folder}/arc-vllm.yml`, config);
    const other = await runCli(["run", "--certificate-seconds", "0", "--require-comparison"], {
      cwd: workspace.folder,
    });
    expect(other.stdout).toMatch(/^RECIPE_MISMATCH: /m);
    expect(other.exitCode).toBe(1);
  });

  it.each([
    { options: { mode: "crash" }, code: "SERVER_EXITED", says: "traceback line 30" },
    { options: { mode: "out-of-memory" }, code: "SERVER_OUT_OF_MEMORY", says: "gpu-memory-utilization" },
    { options: { mode: "silent", readyTimeout: "3s" }, code: "SERVER_NOT_READY", says: "still loading" },
  ])("says $code with the server's last words, exits 4 and leaves no server", async ({ options, code, says }) => {
    const workspace = await ServedWorkspace.make(options);
    const { exitCode, stdout } = await runCli(["run", "--certificate-seconds", "0"], { cwd: workspace.folder });
    expect(stdout).toContain(code);
    expect(stdout).toContain(says);
    expect(exitCode).toBe(4);
    expect(workspace.alive()).toEqual([]);
    expect(workspace.record()).toMatchObject({ state: "partial", failure: { code } });
    expect(workspace.read("arc-vllm-report/junit.xml")).toContain(code);
  });

  it.each([
    { signal: "SIGINT", when: "Starting vllm server", exitCode: 130 },
    { signal: "SIGINT", when: "Measure short", exitCode: 130 },
    { signal: "SIGTERM", when: "Measure short", exitCode: 130 },
    { signal: "SIGKILL", when: "Starting vllm server", exitCode: null },
    { signal: "SIGKILL", when: "Measure short", exitCode: null },
  ] as const)('leaves a readable record and no server after $signal at "$when"', async ({ signal, when, exitCode }) => {
    const workspace = await ServedWorkspace.make({ requests: 100_000 });
    let signalledMs = 0;
    const result = await runCli(["run", "--certificate-seconds", "0"], {
      cwd: workspace.folder,
      onStart(child, log) {
        const timer = setInterval(() => {
          if (!log().includes(when)) return;
          clearInterval(timer);
          signalledMs = Date.now();
          child.kill(signal);
        }, 20);
        child.on("close", () => clearInterval(timer));
      },
    });
    expect(Date.now() - signalledMs).toBeLessThan(7_500);
    expect(result.exitCode).toBe(exitCode);
    // A start that was under way may only begin after the kill: look when that is over, not before.
    if (signal === "SIGKILL") await new Promise((done) => setTimeout(done, 4_000));
    expect(await workspace.untilNothingIsAlive(signal === "SIGKILL" ? 11_000 : 0)).toEqual([]);
    expect(workspace.record()).toMatchObject({ schema: "arc-vllm/v1", state: "partial" });
  });

  it("measures hosts one after the other, and goes on without one that is dead", async () => {
    const workspace = await ServedWorkspace.make();
    const cwd = workspace.folder;
    await runCli(["serve"], { cwd });
    const trust = `host-key: "SHA256:${"A".repeat(43)}", connect-timeout: 1s`;
    const config = workspace
      .read("arc-vllm.yml")
      .replace(
        /^hosts:.*$/m,
        `hosts: [{ name: a, connection: local }, { name: dead, address: 127.0.0.1, port: 1, user: x, private-key-env: K, ${trust} }, { name: b, connection: local }]`,
      )
      .replace(
        /^serve:[\s\S]*?(?=^workloads)/m,
        `serve: { engine: url, base-url: "http://127.0.0.1:${workspace.port}", served-model-name: tiny }\n`,
      );
    workspace.write("many.yml", config);
    const { exitCode, stderr } = await runCli(["run", "--config", "many.yml", "--certificate-seconds", "0"], {
      cwd,
      env: { K: ssh2.utils.generateKeyPairSync("ed25519").private },
    });
    await runCli(["stop"], { cwd });
    expect(exitCode, stderr).toBe(3);
    const [a, b] = ["a", "b"].map((host) => workspace.recordOf(host));
    expect([a?.state, b?.state]).toEqual(["complete", "complete"]);
    const spans = [a, b].map((record) => {
      const at = record?.points.map(({ startedAt }) => Date.parse(startedAt)) ?? [];
      return { from: Math.min(...at), to: Math.max(...at) };
    });
    const [first, second] = spans.sort((one, other) => one.from - other.from);
    expect(first?.to).toBeLessThan(second?.from ?? 0);
    expect(stderr).toMatch(/^a: Measure short$/m);
  });

  it("leaves a server running with serve, and stop ends it", async () => {
    const workspace = await ServedWorkspace.make();
    const cwd = workspace.folder;
    const served = await runCli(["serve"], { cwd });
    expect(served.stdout).toContain(`http://127.0.0.1:${workspace.port}/v1`);
    expect(workspace.alive()).toHaveLength(3);
    const benched = await runCli(
      [
        ...["bench", "--base-url", `http://127.0.0.1:${workspace.port}`, "--model", "tiny", "--num-prompts", "6"],
        ...["--max-concurrency", "2", "--random-input-len", "8", "--random-output-len", "12", "--ignore-eos"],
        ...["--save-result", "--result-dir", "results", "--save-requests", "requests.jsonl"],
        ...["--certificate-seconds", "0"],
      ],
      { cwd },
    );
    expect(benched.exitCode).toBe(0);
    const lines = workspace.read("requests.jsonl").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      Array.from({ length: 6 }, () => expect.objectContaining({ outcome: "ok", tokens: 12, id: "cmpl-1" })),
    );
    const stopped = await runCli(["stop"], { cwd });
    expect(stopped.stdout).toContain("ended process group");
    expect(workspace.alive()).toEqual([]);
    expect((await runCli(["stop"], { cwd })).stdout).toContain("no server of ours");
  });
});
