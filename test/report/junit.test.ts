import { describe, expect, it } from "vitest";
import type { GateSpec } from "../../src/config/run-config.ts";
import type { RunRecord } from "../../src/record/run-record.ts";
import { renderJunit } from "../../src/report/junit.ts";
import { junitSuites } from "../../src/report/junit-suites.ts";
import type { ReportedRun } from "../../src/report/reported-run.ts";
import { nextNight, reportedRun, slowerPoints } from "../fakes/example-analysis.ts";
import { examplePlan, exampleProvision, stepOutcome } from "../fakes/example-host-work.ts";
import {
  exampleDeployment,
  examplePoint,
  examplePoints,
  exampleRecord,
  exampleWorkload,
} from "../fakes/example-record.ts";
import { expectGolden } from "../fakes/golden.ts";
import { casesOf, junitViolations, parseXml } from "../fakes/junit-rules.ts";

function junit(...runs: ReportedRun[]): string {
  return renderJunit(junitSuites({ runs }), { file: "perf/arc-vllm.yml" });
}

/** "name: passed", "name: failure PerfRegression: message" and so on, for the cases of a file. */
function results(xml: string): string[] {
  const [root] = parseXml(xml).filter((node) => node.name === "testsuites");
  return casesOf(root as never).map((junitCase) => {
    const result = junitCase.children.find(({ name }) => ["failure", "error", "skipped"].includes(name));
    const type = result?.attributes["type"] ?? "";
    return `${junitCase.attributes["name"]}: ${result?.name ?? "passed"} ${type}`.trim();
  });
}

const regressed = nextNight({ points: slowerPoints(1 / 0.92), provision: exampleProvision() });
const withoutNumbers = { analysis: null, verdict: null };

describe("renderJunit()", () => {
  it("is the file in test/golden for a regressed run on a host that was changed", () => {
    expectGolden("junit-regression.xml", junit(reportedRun(regressed)));
  });

  const all: { name: string; runs: ReportedRun[] }[] = [
    { name: "a pass", runs: [reportedRun(nextNight())] },
    { name: "a regression", runs: [reportedRun(regressed)] },
    { name: "a first run", runs: [reportedRun(nextNight(), {}, [])] },
    { name: "an invalid run", runs: [reportedRun(nextNight({ points: examplePoints([0, 0, 0]) }))] },
    {
      name: "a check without a benchmark",
      runs: [
        {
          record: exampleRecord({ plan: examplePlan(), deployment: null, points: [], workloads: [] }),
          ...withoutNumbers,
        },
      ],
    },
    { name: "a benchmark without a gate", runs: [{ record: exampleRecord(), ...withoutNumbers }] },
    { name: "two hosts", runs: [reportedRun(nextNight()), reportedRun(nextNight({ host: "arc-02" }))] },
    {
      name: "two layouts on one host",
      runs: [
        reportedRun(nextNight()),
        reportedRun(nextNight({ deployment: exampleDeployment({ tensorParallel: 2 }) })),
      ],
    },
    { name: "the same run twice", runs: [reportedRun(nextNight()), reportedRun(nextNight())] },
    {
      name: "two workloads with odd names in an open loop",
      runs: [reportedRun(nextNight(openLoop()), {}, [exampleRecord(openLoop())])],
    },
  ];
  it.each(all)("breaks no rule of its readers for $name", ({ runs }) => {
    expect(junitViolations(junit(...runs))).toEqual([]);
  });

  it("the rules see what is wrong (planted)", () => {
    const good = junit(reportedRun(nextNight()));
    expect(junitViolations(good.replace('tests="6"', 'tests="7"'))).not.toEqual([]);
    expect(junitViolations(good.replace(/time="[^"]*"/, 'time="1e-7"'))).not.toEqual([]);
    expect(junitViolations(good.replace('name="output tok/s"', 'name="TPOT p50 [ms]"'))).not.toEqual([]);
  });

  const outcomes: {
    name: string;
    record: RunRecord;
    gate?: Partial<GateSpec>;
    candidates?: RunRecord[];
    want: string[];
  }[] = [
    {
      name: "a regression is a failure, an undecided metric is skipped",
      record: nextNight({ points: slowerPoints(1.09) }),
      want: [
        "output tok/s: failure PerfRegression",
        "TPOT p50 [ms]: failure PerfRegression",
        "TTFT p50 [ms]: skipped",
        "success ratio: passed",
      ],
    },
    {
      name: "gate mode warn turns no test red",
      record: nextNight({ points: slowerPoints(1.09) }),
      gate: { mode: "warn" },
      want: ["output tok/s: skipped", "TPOT p50 [ms]: skipped", "TTFT p50 [ms]: skipped", "success ratio: passed"],
    },
    {
      name: "nothing to compare with is skipped",
      record: nextNight(),
      candidates: [],
      want: ["output tok/s: skipped", "TPOT p50 [ms]: skipped", "TTFT p50 [ms]: skipped"],
    },
    {
      name: "nothing to compare with fails when a comparison is required",
      record: nextNight(),
      candidates: [],
      gate: { requireComparison: true },
      want: [
        "output tok/s: failure CALIBRATING",
        "TPOT p50 [ms]: failure CALIBRATING",
        "TTFT p50 [ms]: failure CALIBRATING",
      ],
    },
    {
      name: "an undecided metric fails when the gate says so",
      record: nextNight({ points: slowerPoints(1.029) }),
      gate: { onInconclusive: "fail" },
      want: [
        "output tok/s: failure INCONCLUSIVE",
        "TPOT p50 [ms]: failure INCONCLUSIVE",
        "TTFT p50 [ms]: passed",
        "success ratio: passed",
      ],
    },
    {
      name: "an untrusted measurement is an error",
      record: nextNight({ points: examplePoints([0, 0, 0]) }),
      want: [
        "output tok/s: error MeasurementInvalid",
        "TPOT p50 [ms]: error MeasurementInvalid",
        "TTFT p50 [ms]: error MeasurementInvalid",
      ],
    },
  ];
  it.each(outcomes)("$name", ({ record, gate, candidates, want }) => {
    expect(results(junit(reportedRun(record, gate, candidates))).slice(2)).toEqual(want);
  });

  it("shows what a check found: a requirement that does not hold is a failure with its remedy", () => {
    const xml = junit({
      record: exampleRecord({ plan: examplePlan(), deployment: null, points: [] }),
      ...withoutNumbers,
    });
    expect(results(xml).slice(0, 4)).toEqual([
      "Ubuntu 22.04: passed",
      "Kernel 6.5.0-35: skipped",
      "Resizable BAR on every card: failure RequirementFailed",
      "GPU clocks at 2400 MHz: skipped",
    ]);
    expect(xml).toContain(
      "to do:   Switch on Above 4G Decoding and Resizable BAR in the BIOS, then start the host again",
    );
    expect(xml).toContain("Region 2: Memory at 4000000000 (64-bit, prefetchable) [size=256M]");
  });

  it("shows a failed step as a failure and what waited for it as skipped", () => {
    const provision = exampleProvision({
      steps: [
        stepOutcome({
          name: "i915-dkms",
          status: "failed",
          before: "none",
          after: "1.24.3",
          output: "Error! Bad return status",
          remedy: "Install linux-headers",
        }),
        stepOutcome({ name: "reboot", status: "blocked", remedy: 'Needs "i915-dkms" first' }),
        stepOutcome({ name: "reboot", status: "skipped" }),
      ],
    });
    const xml = junit({ record: exampleRecord({ provision }), ...withoutNumbers });
    expect(results(xml).slice(0, 3)).toEqual([
      "i915-dkms: failure StepFailed",
      "reboot: skipped",
      "reboot (2): skipped",
    ]);
    expect(xml).toContain("Error! Bad return status");
  });

  it("shows the error that ended a run", () => {
    const failure = { code: "SERVER_EXITED", message: "Cannot start the server: exit code 1", hint: "Read the log" };
    const xml = junit({ record: exampleRecord({ failure, deployment: null, points: [] }), ...withoutNumbers });
    expect(results(xml)).toEqual(["server becomes ready: skipped", "run ends without an error: error SERVER_EXITED"]);
  });

  it("survives colours, control characters and the end of a text section in server output", () => {
    const output = "\u001b[31mERROR\u001b[0m \u0000\u0007 a ]]> b ]]> c <tag> & \ud800 \uffff ünï 🚀";
    const provision = exampleProvision({
      steps: [stepOutcome({ name: "load \u001b[1m<model>", status: "failed", output })],
    });
    const xml = junit({ record: exampleRecord({ provision }), ...withoutNumbers });
    expect(junitViolations(xml)).toEqual([]);
    expect(xml).toContain("ERROR  a ]] > b ]] > c <tag> &   ünï 🚀");
    expect(xml).not.toContain("[31m");
  });

  it("keeps the dots of a name out of the levels of a classname", () => {
    expect(junit(reportedRun(nextNight(openLoop()), {}, []))).toContain(
      'classname="arc.arc-01.v1-0-chat-8B.in1024-out512-rate2-5"',
    );
  });

  it("keeps the output of a passing case below what Jenkins cuts", () => {
    const [root] = parseXml(junit(reportedRun(nextNight()))).filter((node) => node.name === "testsuites");
    const texts = casesOf(root as never).flatMap((c) => c.children.filter(({ name }) => name === "system-out"));
    expect(texts.every(({ text }) => text.length <= 900)).toBe(true);
  });
});

function openLoop(): Partial<RunRecord> {
  const name = "v1.0 chat/8B";
  return {
    workloads: [exampleWorkload({ name, requestRate: 2.5 }), exampleWorkload()],
    points: [0, 1, 2].flatMap((repeat) => [
      examplePoint({ workload: name, requestRate: 2.5, repeat }),
      examplePoint({ repeat }),
    ]),
  };
}
