import { describe, expect, it } from "vitest";
import { MiniRunner } from "./mini-runner.ts";
import { ServedWorkspace } from "./served-workspace.ts";

async function served(options: Parameters<typeof ServedWorkspace.make>[0] = {}) {
  const runner = new MiniRunner();
  const workspace = await ServedWorkspace.make({ ...options, folder: runner.workspace });
  return { runner, workspace };
}

describe("the Action", () => {
  it("runs the pipeline, sets outputs and the step summary, and its post step finds nothing to do", async () => {
    const { runner, workspace } = await served();
    const main = await runner.main();
    expect(main.log).toContain("CALIBRATING: nothing to compare with yet");
    expect(main.exitCode).toBe(0);
    expect(main.outputs).toEqual({
      verdict: "CALIBRATING",
      "comparison-count": "0",
      "regressed-metrics": "",
      "mde-max": "",
      "report-dir": "arc-vllm-report",
      "junit-path": "arc-vllm-report/junit.xml",
      "summary-path": "arc-vllm-report/summary.md",
      "results-path": "arc-vllm-report/results.json",
      "record-path": expect.stringMatching(/^arc-vllm-report\/record-4711-1-bench\.json$/),
    });
    expect(main.summary).toContain("## arc-vllm: CALIBRATING");
    expect(JSON.parse(main.state["servers"] ?? "")).toEqual([{ host: "here", port: workspace.port }]);

    const post = await runner.post(main.state);
    expect(post.exitCode).toBe(0);
    expect(post.log).not.toContain("Ended what was left");
  });

  it("certifies its client beside the record, whatever the certificate says", async () => {
    const { runner } = await served();
    const main = await runner.main({ inputs: { "certificate-seconds": "1" } });
    const { certificate, validity } = JSON.parse(runner.read("arc-vllm-report/record-4711-1-bench.json"));
    expect(certificate).toMatchObject({
      load: expect.any(Object),
      machine: { node: process.versions.node },
      miscounted: 0,
    });
    expect(main.summary).toMatch(/This client (is certified for|failed its check at) \d+ streams and/);
    // How late this machine is at the moment decides.
    if (certificate.problems.length > 0) expect(validity.ok).toBe(false);
    expect(runner.read("arc-vllm-report/junit.xml")).toContain('name="arcvllm.certificate"');
  });

  it("fails the step with the verdict when the second run is slower, after the reports are written", async () => {
    const gate = "gate: { metrics: { output_tok_s: { delta-pct: 10, budget-pct: 40 } } }";
    const { runner, workspace } = await served({ gate });
    await runner.main();
    workspace.configure({ gate, itlMs: 12 });
    const slower = await runner.main({ env: { GITHUB_RUN_ID: "4712" } });
    expect(slower.exitCode).toBe(1);
    expect(slower.log).toMatch(/^::error::REGRESSION: output tok\/s -\d/m);
    expect(slower.outputs).toMatchObject({
      verdict: "REGRESSION",
      "comparison-count": "1",
      "regressed-metrics": "output_tok_s short c=2",
      "mde-max": expect.stringMatching(/^\d+\.\d$/),
    });
    expect(slower.summary).toContain("REGRESSION");
  });

  it("says which input does not exist and which was meant, and exits 2", async () => {
    const { exitCode, log, outputs } = await new MiniRunner().main({ inputs: { baselin: "x" } });
    expect(log).toMatch(/::error::.*input "baselin": unknown, did you mean "baseline"\?/);
    expect({ exitCode, outputs }).toEqual({ exitCode: 2, outputs: { verdict: "INVALID" } });
  });

  it("never prints a secret that it was given", async () => {
    const { runner } = await served();
    const secret = "s3cr3t-model-key-0123456789";
    const { log, summary } = await runner.main({ inputs: { "api-key": secret } });
    const masks = log.split("\n").filter((line) => line.startsWith("::add-mask::"));
    expect(masks.join("\n")).toContain(secret);
    expect(
      log
        .split("\n")
        .filter((line) => !line.startsWith("::add-mask::"))
        .join("\n"),
    ).not.toContain(secret);
    expect(summary).not.toContain(secret);
    const reports = ["junit.xml", "summary.md", "results.json"].map((name) => runner.read(`arc-vllm-report/${name}`));
    expect(reports.join("")).not.toContain(secret);
  });

  it("refuses a pull request from a fork before it looks at any host", async () => {
    const { runner, workspace } = await served();
    const event = { pull_request: { head: { repo: { full_name: "mallory/serving", fork: true } } } };
    const path = runner.write("event.json", JSON.stringify(event));
    const fork = await runner.main({ env: { GITHUB_EVENT_NAME: "pull_request", GITHUB_EVENT_PATH: path } });
    expect(fork.log).toContain("FORK_REFUSED");
    expect(fork.exitCode).toBe(2);
    expect(workspace.alive()).toEqual([]);
  });

  it("stops the server within 7 s when the runner cancels, keeps the record, and post ends what a kill left", async () => {
    const { runner, workspace } = await served({ requests: 100_000 });
    let cancelledMs = 0;
    const cancelled = await runner.main({
      onStart: (child, log) =>
        when(log, "Measure short", () => {
          cancelledMs = Date.now();
          child.kill("SIGINT");
        }),
    });
    expect(Date.now() - cancelledMs).toBeLessThan(7_000);
    expect(cancelled.exitCode).toBe(130);
    expect(workspace.alive()).toEqual([]);
    expect(workspace.record()).toMatchObject({ state: "partial", failure: { code: "CANCELLED" } });

    const killed = await runner.main({
      onStart: (child, log) => when(log, "Measure short", () => child.kill("SIGKILL")),
    });
    const post = await runner.post(killed.state);
    expect(post.exitCode).toBe(0);
    expect(await workspace.untilNothingIsAlive(10_000)).toEqual([]);
  });

  it("runs the embedded host with command: demo, also for forks, and labels everything simulated", async () => {
    const runner = new MiniRunner();
    const event = { pull_request: { head: { repo: { full_name: "mallory/serving" } } } };
    const path = runner.write("event.json", JSON.stringify(event));
    const demo = await runner.main({
      inputs: { command: "demo" },
      env: { GITHUB_EVENT_NAME: "pull_request", GITHUB_EVENT_PATH: path },
    });
    expect(demo.exitCode).toBe(0);
    expect(demo.log).toContain("tensor parallel 1 against 2 (simulated)");
    expect(demo.summary.toLowerCase()).toContain("simulated");
  });
});

function when(log: () => string, text: string, act: () => void): void {
  const timer = setInterval(() => {
    if (!log().includes(text)) return;
    clearInterval(timer);
    act();
  }, 20);
}
