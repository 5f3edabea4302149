import { describe, expect, it } from "vitest";
import type { GateRule } from "../../src/config/run-config.ts";
import type { RunRecord } from "../../src/record/run-record.ts";
import { armOrder } from "../../src/study/arm-order.ts";
import { type MeasuredPair, nextStep, type StudyEnd, studyAnalysis } from "../../src/study/paired-study.ts";
import {
  exampleDeployment,
  exampleGate,
  examplePoint,
  exampleRecord,
  exampleWorkload,
} from "../fakes/example-record.ts";

const options = { rules: exampleGate().rules, seed: "run-1", isOutOfTime: false };

/** One fresh run whose metrics are worse by a factor. */
function arm(factor: number, overrides: Partial<RunRecord> = {}): RunRecord {
  const points = [examplePoint({ outputTokS: 437.9 / factor, tpotMs: 24.3 * factor, ttftMs: 1180 * factor })];
  return exampleRecord({ points, workloads: [exampleWorkload({ repeats: 1 })], ...overrides });
}

function pairs(count: number, slowdown: number): MeasuredPair[] {
  return Array.from({ length: count }, () => ({ baseline: arm(1), current: arm(slowdown) }));
}

function end(measured: readonly MeasuredPair[], rules: readonly GateRule[] = options.rules): StudyEnd {
  const step = nextStep(measured, { ...options, rules });
  if (step.kind !== "stop") throw new Error(`measures on: ${step.because}`);
  return step;
}

describe("nextStep()", () => {
  it("measures three pairs before it looks", () => {
    for (const count of [0, 1, 2]) {
      expect(nextStep(pairs(count, 1.5), options)).toMatchObject({ kind: "measure", pair: count + 1 });
    }
  });

  it("stops at the first look that decides every gate", () => {
    expect(end(pairs(3, 1))).toMatchObject({ ended: "decided", because: "every gate was decided after 3 pairs" });
    expect(end(pairs(3, 1.25)).comparisons.map(({ status }) => status)).toEqual(Array(3).fill("REGRESSION"));
  });

  it("measures on while a gate is undecided, and not at numbers of pairs that are no look", () => {
    const rules = [{ metric: "output_tok_s", deltaPct: 3, budgetPct: 4, floor: null } as const];
    const unclear = [1.011, 1.05, 1.011, 1.05, 1.011, 1.05, 1.011, 1.05].flatMap((factor) => pairs(1, factor));
    for (const count of [3, 4, 5, 6, 7]) {
      expect(nextStep(unclear.slice(0, count), { ...options, rules }).kind).toBe("measure");
    }
    expect(end(unclear, rules)).toMatchObject({
      ended: "undecided",
      because: "1 gates were undecided after 8 pairs",
      comparisons: [{ status: "INCONCLUSIVE" }],
    });
  });

  it("a gate keeps its first decision, whatever later pairs show", () => {
    const rules = options.rules.filter(({ metric }) => metric === "output_tok_s");
    const turned = [...pairs(3, 1.1), ...pairs(2, 0.8)];
    expect(end(turned, rules).comparisons.map(({ status }) => status)).toEqual(["REGRESSION"]);
  });

  it("begins no pair when the time is up", () => {
    expect(nextStep(pairs(1, 1), { ...options, isOutOfTime: true })).toMatchObject({
      kind: "stop",
      ended: "out-of-time",
      because: "the time was up after 1 pairs",
    });
  });

  it("measures a pair with an invalid run again as a whole, at most twice", () => {
    const bad = { baseline: arm(1), current: arm(1, { points: [examplePoint({ outputTokS: 0 })] }) };
    expect(nextStep([...pairs(2, 1), bad], options)).toMatchObject({ kind: "measure", pair: 4 });
    expect(nextStep([...pairs(2, 1), bad, bad], options)).toMatchObject({ kind: "measure", pair: 5 });
    expect(end([...pairs(3, 1), bad, bad]).ended).toBe("decided");
    expect(end([...pairs(2, 1), bad, bad, bad])).toMatchObject({
      ended: "invalid",
      because: "3 pairs had an invalid run: chat c=12 repeat 1: output_tok_s is 0, a positive number is wanted",
    });
  });

  it("replays: the same pairs give the same step", () => {
    expect(nextStep(pairs(4, 1.04), options)).toEqual(nextStep(pairs(4, 1.04), options));
  });
});

describe("studyAnalysis()", () => {
  it("gives the worst gate, what differed between the arms and how the study ended", () => {
    const current = arm(1.25, { deployment: exampleDeployment({ tensorParallel: 2 }) });
    const analysis = studyAnalysis(end(pairs(3, 1.25)), arm(1), current);
    expect(analysis.status).toBe("REGRESSION");
    expect(analysis.because).toMatch(/\(every gate was decided after 3 pairs\)$/);
    expect(analysis.differences.map(({ field }) => field)).toEqual(["flag tensor-parallel-size", "tensor parallel"]);
  });

  it("is INCONCLUSIVE without a look and INVALID after too many invalid runs, never PASS", () => {
    const early: StudyEnd = {
      kind: "stop",
      ended: "out-of-time",
      comparisons: [],
      because: "the time was up after 2 pairs",
    };
    expect(studyAnalysis(early, arm(1), arm(1))).toMatchObject({ status: "INCONCLUSIVE", because: early.because });
    expect(studyAnalysis({ ...early, ended: "invalid" }, arm(1), arm(1)).status).toBe("INVALID");
  });
});

describe("armOrder()", () => {
  it("is the same for the same seed and pair, and favours neither arm", () => {
    expect(armOrder("s", 3)).toEqual(armOrder("s", 3));
    const firsts = Array.from({ length: 1000 }, (_, pair) => armOrder("seed", pair)[0]);
    const share = firsts.filter((first) => first === "baseline").length / 1000;
    expect(share).toBeGreaterThan(0.45);
    expect(share).toBeLessThan(0.55);
    expect(armOrder("seed", 1)).toHaveLength(2);
  });
});
