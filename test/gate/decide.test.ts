import { describe, expect, it } from "vitest";
import type { GateSpec } from "../../src/config/run-config.ts";
import type { RunRecord } from "../../src/record/run-record.ts";
import { nextNight, reportedRun, slowerPoints } from "../fakes/example-analysis.ts";
import { exampleDeployment, exampleFacts, exampleGpu, examplePoints, exampleRecord } from "../fakes/example-record.ts";

const baseline = exampleRecord();
const regressed = nextNight({ points: slowerPoints(1 / 0.92) });
const unclear = nextNight({ points: slowerPoints(1.029) });
const invalid = nextNight({ points: examplePoints([0, 0, 0]) });
const dual = nextNight({ deployment: exampleDeployment({ tensorParallel: 2 }) });

function decision(record: RunRecord, gate: Partial<GateSpec> = {}, candidates = [baseline]) {
  return reportedRun(record, gate, candidates).verdict;
}

describe("decide()", () => {
  it("says what got worse, by how much, where, and what it was", () => {
    expect(decision(regressed)).toEqual({
      status: "REGRESSION",
      exitCode: 1,
      sentence:
        "REGRESSION: output tok/s -8.0 % (95 % CI -10.4 to -5.5, budget 5 %) at chat c=12 on arc-01; was 437.9, is 402.9 tok/s; and 1 more",
      comparisonCount: 4,
      regressedMetrics: ["output_tok_s chat c=12", "tpot_p50_ms chat c=12"],
      mdeMaxPct: expect.closeTo(18.07, 1),
    });
  });

  it("says of a pass what it was compared with and what it could have seen", () => {
    expect(decision(nextNight()).sentence).toBe(
      "PASS: no regression in 4 comparisons with run-1 on arc-01 (detectable: output tok/s 5.0 %, TPOT p50 5.2 %, TTFT p50 18.1 %)",
    );
  });

  it("says that a first run has nothing to compare with and is kept", () => {
    expect(decision(nextNight(), {}, [])).toMatchObject({
      exitCode: 0,
      sentence:
        "CALIBRATING: nothing to compare with yet (0 eligible records in .arc-vllm/history); this run is kept as a baseline",
      comparisonCount: 0,
    });
  });

  it("says why a run of a pull request is not kept", () => {
    const record = nextNight({ run: { ...nextNight().run, trigger: "pull_request" } });
    expect(decision(record, {}, []).sentence).toMatch(
      /; this run is no baseline: runs of pull requests are never baselines$/,
    );
  });

  it("names the recipe fields that differ", () => {
    expect(decision(dual)).toMatchObject({
      exitCode: 0,
      comparisonCount: 0,
      sentence:
        "RECIPE_MISMATCH: no record of the same recipe in .arc-vllm/history; the closest, run-1, differs in flag tensor-parallel-size 1 -> 2, tensor parallel 1 -> 2; this run is kept as a baseline",
    });
  });

  it("says that an invalid measurement is no verdict on the change", () => {
    expect(decision(invalid)).toMatchObject({
      exitCode: 5,
      sentence:
        "INVALID: the measurement on arc-01 cannot be trusted: chat c=12 repeat 1: output_tok_s is 0, a positive number is wanted (and 2 more)",
    });
  });

  it("says which part of the environment changed, since that may be the cause", () => {
    const kernel = { ...exampleFacts().kernel, running: "6.8.0-45-generic" };
    const facts = exampleFacts({ kernel, docker: "28.1", memoryMiB: 32_059, gpus: [exampleGpu({ clock: null })] });
    expect(decision(nextNight({ points: slowerPoints(1.2), facts })).sentence).toMatch(
      /; the environment changed: docker 24\.0\.7 -> 28\.1, gpu 0000:03:00\.0 clock 2400 to 2400 MHz -> none, kernel 6\.5\.0-35-generic -> 6\.8\.0-45-generic and 1 more$/,
    );
  });

  it("labels a simulated host", () => {
    const simulated = exampleRecord({ simulated: true });
    expect(decision(nextNight({ simulated: true }), {}, [simulated]).sentence).toContain("on arc-01 (simulated)");
  });

  it("praises an improvement and passes", () => {
    const { sentence, exitCode } = decision(nextNight({ points: slowerPoints(0.9) }));
    expect(exitCode).toBe(0);
    expect(sentence).toMatch(/^IMPROVED: output tok\/s \+11\.1 % .*; was 437\.9, is 486\.6 tok\/s; and 1 more$/);
  });

  const table: { name: string; record: RunRecord; gate: Partial<GateSpec>; exitCode: number; start: string }[] = [
    {
      name: "an inconclusive run warns",
      record: unclear,
      gate: {},
      exitCode: 0,
      start: "INCONCLUSIVE (not failing): ",
    },
    {
      name: "an inconclusive run may pass",
      record: unclear,
      gate: { onInconclusive: "pass" },
      exitCode: 0,
      start: "INCONCLUSIVE (not failing): ",
    },
    {
      name: "an inconclusive run may fail",
      record: unclear,
      gate: { onInconclusive: "fail" },
      exitCode: 1,
      start: "INCONCLUSIVE: ",
    },
    {
      name: "a mismatch fails when a comparison is required",
      record: dual,
      gate: { requireComparison: true },
      exitCode: 1,
      start: "RECIPE_MISMATCH: ",
    },
    {
      name: "warn mode never exits with 1",
      record: regressed,
      gate: { mode: "warn" },
      exitCode: 0,
      start: 'REGRESSION (not failing, since gate mode is "warn"): ',
    },
    {
      name: "warn mode spares a required comparison too",
      record: dual,
      gate: { mode: "warn", requireComparison: true },
      exitCode: 0,
      start: "RECIPE_MISMATCH (not failing",
    },
    {
      name: "warn mode does not hide an invalid measurement",
      record: invalid,
      gate: { mode: "warn" },
      exitCode: 5,
      start: "INVALID: ",
    },
  ];
  it.each(table)("$name", ({ record, gate, exitCode, start }) => {
    const made = decision(record, gate);
    expect(made.exitCode).toBe(exitCode);
    expect(made.sentence.slice(0, start.length)).toBe(start);
  });

  it("fails a first run when a comparison is required, and says so", () => {
    expect(decision(nextNight(), { requireComparison: true }, [])).toMatchObject({
      exitCode: 1,
      sentence: expect.stringContaining("; a comparison is required; "),
    });
  });
});
