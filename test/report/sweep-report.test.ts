import { describe, expect, it } from "vitest";
import { analyse } from "../../src/analyse/analyse.ts";
import type { LoadPoint } from "../../src/measure/load-point.ts";
import { renderResults, resultsSchema } from "../../src/report/results-json.ts";
import { renderSummary } from "../../src/report/summary-markdown.ts";
import { sweepReport } from "../../src/report/sweep-report.ts";
import { sweepResult } from "../../src/study/sweep-result.ts";
import { exampleGate, examplePoint, exampleRecord, exampleWorkload } from "../fakes/example-record.ts";

const sweep = { of: "concurrency" as const, from: 1, to: 4, minGainPct: 5, goodPct: 90, refinements: 0 };
const workload = exampleWorkload({ concurrency: [1], repeats: 1, sweep });

function point(concurrency: number, outputTokS: number, changed: Partial<LoadPoint> = {}): LoadPoint {
  const base = examplePoint({ concurrency, outputTokS, promptsSha256: String(concurrency), sweep: true });
  return { ...base, ...changed };
}

const points = [point(1, 40), point(2, 80), point(4, 82)];
const record = exampleRecord({ workloads: [workload], points });

describe("sweepReport()", () => {
  it("says what was found, shows each level, and draws throughput", () => {
    const result = sweepResult(workload, points);
    const lines = result === null ? [] : sweepReport(result).split("\n");
    expect(lines[0]).toMatch(/^chat holds 2 requests in flight \(80.0 tok\/s, .*\); at 4 throughput changed by 2.5 %/);
    expect(lines.slice(-3)).toEqual([
      `1 ${"█".repeat(20)} 40.00`,
      `2 ${"█".repeat(39)} 80.00 <- highest that holds`,
      `4 ${"█".repeat(40)} 82.00 does not hold`,
    ]);
  });

  it("is in results.json, with the levels as numbers", () => {
    const results = JSON.parse(
      renderResults({ runs: [{ record, analysis: null, verdict: null }], verdict: null }, ["r"]),
    );
    expect(resultsSchema.parse(results).runs[0]?.sweeps).toEqual([
      expect.objectContaining({ workload: "chat", of: "concurrency", best: 2, broken: 4, isFinished: true }),
    ]);
  });

  it("is in the summary of a run", () => {
    const run = { record, analysis: null, verdict: null };
    const summary = renderSummary({ runs: [run], verdict: null }, { charts: false });
    expect(summary).toContain("#### Sweep of chat\n\n**chat holds 2 requests in flight");
  });
});

describe("a record of a sweep", () => {
  it("is valid although its last level failed, and whatever the number of its levels", () => {
    const failed = point(4, 81, { outcomes: { ok: 10, stall_timeout: 86 } });
    expect(exampleRecord({ workloads: [workload], points: [point(1, 40), failed] }).validity).toEqual({
      ok: true,
      reasons: [],
    });
  });

  it("has the recipe of another record that tried other levels", () => {
    const other = exampleRecord({ workloads: [workload], points: [point(1, 40), point(2, 80), point(3, 81)] });
    expect(other.fingerprint?.hard).toBe(record.fingerprint?.hard);
    const otherPrompts = exampleRecord({ workloads: [workload], points: [point(1, 40, { promptsSha256: "x" })] });
    expect(otherPrompts.fingerprint?.hard).not.toBe(record.fingerprint?.hard);
  });

  it("is not compared level by level", () => {
    const { status, comparisons } = analyse(record, [exampleRecord({ workloads: [workload], points })], exampleGate());
    expect({ status, comparisons }).toEqual({ status: "CALIBRATING", comparisons: [] });
  });
});
