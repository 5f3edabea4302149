import { describe, expect, it } from "vitest";
import { factsTable, planTable, provisionTable, recapTable } from "../../src/report/host-tables.ts";
import { comparisonTable, loadPointTable } from "../../src/report/measure-tables.ts";
import { nextNight, reportedRun, slowerPoints } from "../fakes/example-analysis.ts";
import { examplePlan, exampleProvision, stepOutcome } from "../fakes/example-host-work.ts";
import {
  exampleDeployment,
  exampleFacts,
  exampleGpu,
  examplePoint,
  examplePoints,
  exampleWorkload,
} from "../fakes/example-record.ts";
import { expectGolden } from "../fakes/golden.ts";

const twoCards = exampleFacts({
  gpus: [exampleGpu(), exampleGpu({ bdf: "0000:07:00.0", resizableBar: "off", clock: null })],
  warnings: ["GPU power was not read: xpu-smi is not installed"],
});
const failedStep = stepOutcome({
  name: "i915-dkms",
  status: "failed",
  before: "none",
  after: "1.24.3",
  output: "Error! Bad return status for module build",
  remedy: "Install linux-headers-6.5.0-35-generic",
});
const withFailure = exampleProvision({ converged: null, steps: [...exampleProvision().steps, failedStep] });
const regressed = reportedRun(nextNight({ points: slowerPoints(1.09) })).analysis;
const measured = [...[1, 4].map((concurrency) => examplePoint({ concurrency })), ...examplePoints()];

/** Everything a terminal shows, one table after the other. */
const screen = [
  factsTable(twoCards),
  planTable(examplePlan()),
  provisionTable(withFailure),
  recapTable([exampleProvision(), withFailure]),
  loadPointTable(measured),
  comparisonTable(regressed),
].join("\n\n");

describe("terminal tables", () => {
  it("are the file in test/golden", () => {
    expectGolden("terminal-tables.txt", `${screen}\n`);
  });

  it("fit into 100 columns and hold no colour codes unless asked", () => {
    const tables = screen.split("\n").filter((line) => /^[│┌├└]/.test(line));
    expect(tables.filter((line) => line.length > 100)).toEqual([]);
    expect(screen).not.toContain("\u001b[");
  });

  it("colour the status when asked", () => {
    expect(planTable(examplePlan(), { color: true })).toContain("\u001b[31mfailed\u001b[39m");
    expect(comparisonTable(regressed, { color: true })).toContain("\u001b[31mREGRESSION\u001b[39m");
  });

  it("break long words instead of cutting them off", () => {
    const plan = examplePlan({ steps: examplePlan().steps.map((step) => ({ ...step, evidence: "ab".repeat(60) })) });
    const column = planTable(plan)
      .split("\n")
      .map((line) => line.split("│")[3]?.trim() ?? "");
    expect(column.join("")).toContain("ab".repeat(60));
  });

  it("stay in their columns for long words and long names", () => {
    const evidence = `sha256:${"ab".repeat(60)}`;
    const plan = examplePlan({
      steps: examplePlan().steps.map((step) => ({ ...step, evidence, name: `x${evidence}` })),
    });
    expect(
      planTable(plan)
        .split("\n")
        .filter((line) => line.length > 100),
    ).toEqual([]);
    const long = "a-very-long-workload-name-of-a-team-with-many-workloads";
    const workloads = [exampleWorkload({ name: long })];
    const points = examplePoints().map((point) => ({ ...point, workload: long }));
    const { analysis } = reportedRun(nextNight({ workloads, points }), {}, []);
    const lines = [...comparisonTable(analysis).split("\n"), ...loadPointTable(points).split("\n")];
    expect(lines.filter((line) => /^[│┌├└]/.test(line) && line.length > 100)).toEqual([]);
  });

  it("factsTable() says what is not known instead of leaving it out", () => {
    const table = factsTable(
      exampleFacts({ os: null, cpu: null, secureBoot: null, dkms: null, memoryMiB: null, gpus: [], docker: null }),
    );
    for (const row of ["OS", "CPU", "Secure Boot", "DKMS", "memory"])
      expect(table).toMatch(new RegExp(`│ ${row} +│ unknown`));
    expect(table).toMatch(/│ GPU +│ no discrete GPU/);
  });

  it("loadPointTable() shows n/a for what was not measured, never 0", () => {
    expect(loadPointTable([examplePoint({ ttftMs: null, tpotMs: null, outputTokS: null })])).toMatch(
      /│ chat +│ 12 │ +1 │ +96 │ +96 │ +n\/a │ +n\/a │ +n\/a │ +n\/a │/,
    );
  });

  it("comparisonTable() says the shared reason once", () => {
    const dual = nextNight({ deployment: exampleDeployment({ tensorParallel: 2 }) });
    const table = comparisonTable(reportedRun(dual).analysis);
    expect(table.split("\n").filter((line) => line.includes("no record of the same recipe"))).toHaveLength(1);
  });
});
