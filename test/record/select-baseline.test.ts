import { describe, expect, it } from "vitest";
import type { RunRecord } from "../../src/record/run-record.ts";
import { selectBaseline } from "../../src/record/select-baseline.ts";
import { exampleDeployment, examplePoint, exampleRecord } from "../fakes/example-record.ts";

function night(day: number, overrides: Partial<RunRecord> = {}): RunRecord {
  const base = exampleRecord();
  const startedAt = `2026-09-${String(day).padStart(2, "0")}T02:00:00.000Z`;
  return exampleRecord({ run: { ...base.run, id: `night-${day}`, startedAt }, ...overrides });
}

const current = night(24);

describe("selectBaseline()", () => {
  it("gives eligible records of the same recipe, newest first", () => {
    const selection = selectBaseline([night(21), night(23), night(22)], current);
    expect(selection.baselines.map(({ run }) => run.id)).toEqual(["night-23", "night-22", "night-21"]);
    expect(selection.refused).toEqual([]);
  });

  it("never compares a run with itself, but with an earlier attempt and with the same run on another host", () => {
    const retried = { ...current, run: { ...current.run, attempt: 0 } };
    const elsewhere = { ...current, host: "arc-02" };
    expect(selectBaseline([current, retried, elsewhere], current).baselines).toEqual([retried, elsewhere]);
  });

  const refused: { name: string; record: RunRecord; reason: string }[] = [
    { name: "an unfinished run", record: night(20, { state: "partial" }), reason: "the run did not finish" },
    {
      name: "an invalid run",
      record: night(20, { points: [0, 1, 2].map((repeat) => examplePoint({ repeat, outputTokS: 0 })) }),
      reason: "the measurement is not valid: chat c=12 repeat 1: output_tok_s is 0, a positive number is wanted",
    },
    {
      name: "a run after a regression",
      record: night(20, { eligible: false }),
      reason: "it is marked as not eligible, for example after a regression",
    },
    { name: "a simulated run", record: night(20, { simulated: true }), reason: "it is simulated and this run is real" },
    {
      name: "a run of a pull request",
      record: night(20, { run: { ...current.run, id: "night-20", trigger: "pull_request" } }),
      reason: "runs of pull requests are never baselines",
    },
    {
      name: "a run with an error",
      record: night(20, { failure: { code: "SERVER_EXITED", message: "Cannot start", hint: "Read" } }),
      reason: "the run failed: Cannot start",
    },
  ];
  it.each(refused)("refuses $name and says why", ({ record, reason }) => {
    expect(selectBaseline([record], current)).toEqual({
      baselines: [],
      eligibleCount: 0,
      refused: [{ runId: "night-20", kind: "unusable", reason }],
      mismatch: null,
    });
  });

  it("does not take a real record for a simulated run either", () => {
    expect(selectBaseline([night(20)], exampleRecord({ simulated: true })).refused[0]?.reason).toBe(
      "it is real and this run is simulated",
    );
  });

  it("says in which hard fields the closest record of another recipe differs, with both values", () => {
    const twoCards = night(23, { deployment: exampleDeployment({ tensorParallel: 2, env: {} }) });
    const otherSeqs = night(22, { deployment: exampleDeployment({ tensorParallel: 2 }) });
    expect(selectBaseline([twoCards, otherSeqs], current)).toMatchObject({
      baselines: [],
      eligibleCount: 2,
      mismatch: {
        runId: "night-22",
        differences: [
          { field: "flag tensor-parallel-size", baseline: "2", current: "1" },
          { field: "tensor parallel", baseline: "2", current: "1" },
        ],
      },
      refused: [
        { runId: "night-23" },
        { runId: "night-22", reason: "other recipe: flag tensor-parallel-size 2 -> 1, tensor parallel 2 -> 1" },
      ],
    });
  });

  it("needs no mismatch when one record is comparable", () => {
    const other = night(23, { deployment: exampleDeployment({ tensorParallel: 2 }) });
    expect(selectBaseline([other, night(22)], current)).toMatchObject({ eligibleCount: 2, mismatch: null });
  });
});
