import { describe, expect, it } from "vitest";
import type { ReportedRun } from "../../src/report/reported-run.ts";
import { renderSummary } from "../../src/report/summary-markdown.ts";
import { nextNight, reportedRun, slowerPoints } from "../fakes/example-analysis.ts";
import { examplePlan, exampleProvision } from "../fakes/example-host-work.ts";
import {
  exampleDeployment,
  exampleFacts,
  examplePoint,
  exampleRecord,
  exampleWorkload,
} from "../fakes/example-record.ts";
import { expectGolden } from "../fakes/golden.ts";

function summary(runs: ReportedRun[], charts = false): string {
  return renderSummary({ runs, verdict: runs[0]?.verdict ?? null }, { charts });
}

describe("renderSummary()", () => {
  it("is the file in test/golden for a regression after a change of kernel", () => {
    const kernel = { ...exampleFacts().kernel, running: "6.8.0-45-generic" };
    const facts = exampleFacts({ kernel, warnings: ["GPU power was not read: xpu-smi is not installed"] });
    const record = nextNight({ points: slowerPoints(1 / 0.92), provision: exampleProvision(), facts });
    expectGolden("summary-regression.md", summary([reportedRun(record)]));
  });

  it("puts the verdict first", () => {
    const lines = summary([reportedRun(nextNight())]).split("\n");
    expect(lines[0]).toBe("## arc-vllm: PASS");
    expect(lines[2]).toMatch(/^\*\*PASS: no regression in 4 comparisons with run-1 on arc-01/);
  });

  it("says on top that figures are simulated", () => {
    const simulated = reportedRun(nextNight({ simulated: true }), {}, [exampleRecord({ simulated: true })]);
    const text = summary([simulated]);
    expect(text.indexOf("> **Simulated.**")).toBeGreaterThan(0);
    expect(text.indexOf("> **Simulated.**")).toBeLessThan(text.indexOf("###"));
    expect(text).toContain("### arc-01 (simulated)");
  });

  it("shows several hosts, each with its own verdict", () => {
    const runs = [reportedRun(nextNight({ points: slowerPoints(1.2) })), reportedRun(nextNight({ host: "arc-02" }))];
    const text = summary(runs);
    expect(text).toContain("### arc-01\n");
    expect(text).toContain("### arc-02\n");
    expect(text).toMatch(/- REGRESSION: .*\n- PASS: /);
  });

  it("tells two layouts on one host apart", () => {
    const dual = nextNight({ deployment: exampleDeployment({ tensorParallel: 2 }) });
    const text = summary([reportedRun(nextNight()), reportedRun(dual)]);
    expect(text).toContain("### arc-01 tp1\n");
    expect(text).toContain("### arc-01 tp2\n");
    expect(text).toContain("#### What differs in the recipe");
    expect(text).toContain("| tensor parallel           | 1        | 2       |");
  });

  it("shows what a check found with what a person can do", () => {
    const record = exampleRecord({ plan: examplePlan(), deployment: null, points: [] });
    const text = summary([{ record, analysis: null, verdict: null }]);
    expect(text).toContain("Playbook ubuntu-22.04-a770: 1 of 4 steps ok.");
    expect(text).toMatch(
      /\| failed +\| Resizable BAR on every card .*\| Switch on Above 4G Decoding and Resizable BAR/,
    );
  });

  it("says how a run ended and what to do", () => {
    const failure = { code: "SERVER_EXITED", message: "Cannot start: exit code 1", hint: "Read the log" };
    const record = exampleRecord({ failure, state: "partial", points: [], deployment: null });
    expect(summary([{ record, analysis: null, verdict: null }])).toContain(
      "**The run ended with SERVER_EXITED:** Cannot start: exit code 1\n\nWhat to do: Read the log\n",
    );
  });

  it("lets nothing that a host says become markup", () => {
    const nasty = "a|b <img src=x> &amp; [click](http://x) `code` **bold**\n# title";
    const facts = exampleFacts({ docker: nasty, warnings: [nasty] });
    const text = summary([{ record: exampleRecord({ facts }), analysis: null, verdict: null }]);
    const escaped = "a\\|b &lt;img src=x> &amp;amp; \\[click\\](http://x) \\`code\\` \\*\\*bold\\*\\* # title";
    expect(text).toContain(`- ${escaped}\n`);
    expect(text).toContain(`| docker       | ${escaped}`);
    expect(text).not.toContain("<img");
  });

  it("draws throughput over concurrency below the table, when asked and when there is more than one level", () => {
    const points = [1, 4, 12].map((concurrency) => examplePoint({ concurrency, outputTokS: 62 * concurrency }));
    const record = exampleRecord({
      points,
      workloads: [exampleWorkload({ name: 'chat "x"', concurrency: [1, 4, 12] })],
    });
    const run = { record, analysis: null, verdict: null };
    const drawn = summary([run], true);
    expect(drawn).toContain('  x-axis ["1", "4", "12"]\n  y-axis "tok/s"\n  bar [62.00, 248.0, 744.0]\n```');
    expect(drawn.indexOf("```mermaid")).toBeGreaterThan(drawn.indexOf("| chat"));
    expect(summary([run], false)).not.toContain("mermaid");
    expect(summary([{ ...run, record: exampleRecord() }], true)).not.toContain("mermaid");
  });

  it("stays below 200 KiB in bytes, cuts between tables and says so", () => {
    const record = exampleRecord({ warnings: Array.from({ length: 40 }, (_, n) => `Gerät ${n} ${"ü".repeat(100)}`) });
    const runs = Array.from({ length: 60 }, () => ({ record, analysis: null, verdict: null }));
    const text = summary(runs);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(200 * 1024);
    expect(Buffer.byteLength(text)).toBeGreaterThan(150 * 1024);
    expect(text.trimEnd().split("\n").at(-1)).toMatch(/^> \*\*Cut here:\*\*/);
  });
});
