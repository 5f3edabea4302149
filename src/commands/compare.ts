import type { GateSpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { readBaselines } from "../pipeline/read-baselines.ts";
import { judge } from "../pipeline/run.ts";
import { outcomeOf } from "../pipeline/run-outcome.ts";
import type { World } from "../pipeline/world.ts";
import { reportedOf, writeReports } from "../pipeline/write-reports.ts";
import { parseRunRecord } from "../record/parse-run-record.ts";
import type { RunRecord } from "../record/run-record.ts";
import { comparisonTable } from "../report/measure-tables.ts";
import type { CommandOutcome } from "./command-outcome.ts";

export interface CompareRequest {
  /** Record file to judge. */
  readonly current: string;
  readonly gate: GateSpec;
  /** Null: no report files. */
  readonly reportDir: string | null;
}

/** Judges a record that was measured earlier against a baseline file or folder, as `run` would have. */
export async function compare(request: CompareRequest, world: World): Promise<CommandOutcome> {
  const record = await readRecord(request.current, world);
  const baselines = await readBaselines({ gate: request.gate, history: null }, world);
  const outcome = outcomeOf([judge({ record, recordPath: request.current, error: null }, baselines, request)]);
  if (request.reportDir !== null) {
    await writeReports(reportedOf(outcome), { configPath: null, report: { dir: request.reportDir } }, world);
  }
  const { analysis, decision } = outcome.hosts[0] ?? fail();
  for (const warning of analysis.warnings) world.console.warn(warning);
  const text = `${comparisonTable(analysis)}\n\n${decision.sentence}`;
  return { exitCode: decision.exitCode, text, json: { ...decision, analysis }, decision };
}

/** Reads a record file. Throws RECORD_INVALID when it is missing or broken. */
export async function readRecord(path: string, world: World): Promise<RunRecord> {
  const text = await world.files.read(path);
  if (text !== null) return parseRunRecord(text, path);
  throw new AppError("RECORD_INVALID", {
    message: `Cannot read record "${path}": there is no such file`,
    hint: "Name a record-….json from the report folder of a run",
  });
}

function fail(): never {
  throw new Error("one record gives one outcome");
}
