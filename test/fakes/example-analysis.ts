import { analyse } from "../../src/analyse/analyse.ts";
import type { GateSpec } from "../../src/config/run-config.ts";
import { decide } from "../../src/gate/decide.ts";
import type { RunRecord } from "../../src/record/run-record.ts";
import { exampleGate, examplePoint, examplePoints, exampleRecord } from "./example-record.ts";

/** The record of the next night; a test states only what differs. */
export function nextNight(overrides: Partial<RunRecord> = {}): RunRecord {
  const { run } = exampleRecord();
  const next = { ...run, id: "run-2", startedAt: "2026-09-25T02:00:00.000Z", url: `${run.url}2` };
  return exampleRecord({ run: next, ...overrides });
}

/** Load points of a server that got slower by a factor: throughput falls and every latency rises. */
export function slowerPoints(factor: number) {
  return examplePoints().map((point, repeat) =>
    examplePoint({
      repeat,
      outputTokS: (point.metrics.outputTokS ?? 0) / factor,
      tpotMs: 24.3 * factor,
      ttftMs: 1180 * factor,
    }),
  );
}

/** What a report gets: a record, compared with the example record and judged. */
export function reportedRun(record: RunRecord, gate: Partial<GateSpec> = {}, candidates = [exampleRecord()]) {
  const spec = exampleGate(gate);
  const analysis = analyse(record, candidates, spec, ".arc-vllm/history");
  return { record, analysis, verdict: decide(analysis, spec, record) };
}
