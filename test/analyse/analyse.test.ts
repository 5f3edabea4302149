import { describe, expect, it } from "vitest";
import { analyse } from "../../src/analyse/analyse.ts";
import type { RunRecord } from "../../src/record/run-record.ts";
import {
  exampleDeployment,
  exampleFacts,
  exampleGate,
  examplePoint,
  examplePoints,
  exampleRecord,
  exampleWorkload,
} from "../fakes/example-record.ts";

const baseline = exampleRecord();
const gate = exampleGate();

function tonight(overrides: Partial<RunRecord> = {}): RunRecord {
  const run = { ...baseline.run, id: "run-2", startedAt: "2026-09-25T02:00:00.000Z" };
  return exampleRecord({ run, ...overrides });
}

/** All latencies move with the throughput, as they do when a server really gets slower. */
function slower(factor: number) {
  return examplePoints().map((point, repeat) =>
    examplePoint({
      repeat,
      outputTokS: (point.metrics.outputTokS ?? 0) / factor,
      tpotMs: 24.3 * factor,
      ttftMs: 1180 * factor,
    }),
  );
}

describe("analyse()", () => {
  it("passes an unchanged run and says what it was compared with", () => {
    const analysis = analyse(tonight(), [baseline], gate);
    expect(analysis).toMatchObject({ status: "PASS", baselineRunId: "run-1", differences: [], warnings: [] });
    expect(analysis.comparisons.map(({ metric, status }) => `${metric} ${status}`)).toEqual([
      "output_tok_s PASS",
      "tpot_p50_ms PASS",
      "ttft_p50_ms PASS",
      "success_ratio PASS",
    ]);
  });

  it("finds a regression, with its explanation in the latencies", () => {
    const analysis = analyse(tonight({ points: slower(1.1) }), [baseline], gate);
    expect(analysis.status).toBe("REGRESSION");
    expect(analysis.because).toMatch(
      /^output_tok_s at chat c=12: worse by more than the 3 % that count; .* \(and 1 more\)$/,
    );
    expect(analysis.because).not.toContain("unexplained");
  });

  it("says when a throughput regression shows in no latency", () => {
    const analysis = analyse(tonight({ points: examplePoints([398, 401, 400]) }), [baseline], gate);
    expect(analysis.status).toBe("REGRESSION");
    expect(analysis.comparisons[0]?.because).toContain("unexplained: no latency at this load point got worse");
  });

  it("is CALIBRATING while there is nothing to compare with, never PASS", () => {
    const analysis = analyse(tonight(), [], gate, ".arc-vllm/history");
    expect(analysis).toMatchObject({
      status: "CALIBRATING",
      because: "nothing to compare with yet (0 eligible records in .arc-vllm/history)",
      baselineRunId: null,
    });
    expect(analysis.comparisons.map(({ status }) => status)).toEqual(Array(3).fill("CALIBRATING"));
    expect(analysis.comparisons[0]?.current.center).toBeCloseTo(437.9, 1);
  });

  it("is RECIPE_MISMATCH with the differing hard fields when only another recipe was measured", () => {
    const dual = tonight({ deployment: exampleDeployment({ tensorParallel: 2 }) });
    expect(analyse(dual, [baseline], gate, "base.json")).toMatchObject({
      status: "RECIPE_MISMATCH",
      because:
        "no record of the same recipe in base.json; the closest, run-1, differs in flag tensor-parallel-size 1 -> 2, tensor parallel 1 -> 2",
      differences: [
        { field: "flag tensor-parallel-size", baseline: "1", current: "2" },
        { field: "tensor parallel", baseline: "1", current: "2" },
      ],
    });
  });

  it("refuses a baseline of another workload", () => {
    const short = tonight({ workloads: [exampleWorkload({ inputTokens: 32 })] });
    expect(analyse(short, [baseline], gate).because).toContain("workload chat: inputTokens 1024 -> 32");
  });

  it("never compares a real run with a simulated one", () => {
    const analysis = analyse(tonight(), [exampleRecord({ simulated: true })], gate);
    expect(analysis.status).toBe("CALIBRATING");
    expect(analysis.warnings).toEqual(["Record run-1 was not used: it is simulated and this run is real"]);
  });

  it("is INVALID for a run that cannot be trusted, whatever its numbers say", () => {
    const points = examplePoints().map((point) => ({ ...point, warnings: ["Invalid: the GPU was throttled"] }));
    const analysis = analyse(tonight({ points }), [baseline], gate);
    expect(analysis.status).toBe("INVALID");
    expect(analysis.because).toBe("chat c=12 repeat 1: Invalid: the GPU was throttled (and 2 more)");
    expect(analysis.comparisons.every(({ status }) => status === "INVALID")).toBe(true);
  });

  it("is INVALID for a run that did not finish or has no fingerprint", () => {
    expect(analyse(tonight({ state: "partial" }), [baseline], gate).because).toBe("the run did not finish");
    expect(analyse(tonight({ fingerprint: null }), [baseline], gate).status).toBe("INVALID");
  });

  it("does not pass without a rule", () => {
    expect(analyse(tonight(), [baseline], exampleGate({ rules: [] }))).toMatchObject({
      status: "CALIBRATING",
      because: "there is no rule to judge by",
    });
  });

  it("shows what changed in the environment of comparable runs", () => {
    const facts = exampleFacts({ kernel: { ...exampleFacts().kernel, running: "6.8.0-45-generic" } });
    expect(analyse(tonight({ facts }), [baseline], gate).differences).toEqual([
      { field: "kernel", baseline: "6.5.0-35-generic", current: "6.8.0-45-generic" },
    ]);
  });

  it("compares with the newest comparable record and is silent about other recipes in a shared history", () => {
    const newer = exampleRecord({ run: { ...baseline.run, id: "run-1b", startedAt: "2026-09-24T12:00:00.000Z" } });
    const other = exampleRecord({
      run: { ...baseline.run, id: "other", startedAt: "2026-09-24T20:00:00.000Z" },
      deployment: exampleDeployment({ tensorParallel: 2 }),
    });
    expect(analyse(tonight(), [baseline, other, newer], gate)).toMatchObject({ baselineRunId: "run-1b", warnings: [] });
  });

  it("compares with the last good record while later ones are kept as regressions", () => {
    const regressed = exampleRecord({
      run: { ...baseline.run, id: "run-1b", startedAt: "2026-09-24T12:00:00.000Z" },
      points: slower(1.2),
      eligible: false,
    });
    const again = analyse(tonight({ points: slower(1.2) }), [baseline, regressed], gate);
    expect(again).toMatchObject({ status: "REGRESSION", baselineRunId: "run-1" });
    expect(again.warnings).toEqual([
      "Record run-1b was not used: it is marked as not eligible, for example after a regression",
    ]);
  });

  it("judges every load point, and one regression among them decides", () => {
    const workloads = [exampleWorkload({ concurrency: [1, 12] })];
    const single = [0, 1, 2].map((repeat) =>
      examplePoint({ repeat, concurrency: 1, outputTokS: 62, tpotMs: 15.2, ttftMs: 101 }),
    );
    const before = exampleRecord({ workloads, points: [...single, ...examplePoints()] });
    const after = tonight({ workloads, points: [...single, ...slower(1.12)] });
    const { comparisons, status } = analyse(after, [before], gate);
    expect(status).toBe("REGRESSION");
    expect(comparisons.filter((c) => c.status === "REGRESSION").map((c) => c.concurrency)).toEqual([12, 12]);
    expect(comparisons).toHaveLength(8);
  });

  // A gate that cannot reach a failure is no gate (kent-tokyo/chematic#114).
  const families = [1, 3, 12, 13, 36].flatMap((levels) =>
    gate.rules.filter(({ metric }) => metric !== "success_ratio").map((rule) => ({ levels, rule })),
  );
  it.each(families)(
    "a 20 % change for the worse of $rule.metric is a REGRESSION among $levels levels of 3 repeats",
    ({ levels, rule }) => {
      const concurrency = Array.from({ length: levels }, (_, index) => index + 1);
      const workloads = [exampleWorkload({ concurrency })];
      const points = (factor: number) =>
        concurrency.flatMap((c) => slower(factor).map((point) => ({ ...point, concurrency: c })));
      const before = exampleRecord({ workloads, points: points(1) });
      const after = tonight({ workloads, points: points(rule.metric === "output_tok_s" ? 1 / 0.8 : 1.2) });
      const found = analyse(after, [before], gate).comparisons.filter((c) => c.metric === rule.metric);
      expect(found.map(({ status }) => status)).toEqual(Array(levels).fill("REGRESSION"));
    },
  );
});
