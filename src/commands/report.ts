import type { World } from "../pipeline/world.ts";
import { writeReports } from "../pipeline/write-reports.ts";
import type { CommandOutcome } from "./command-outcome.ts";
import { readRecord } from "./compare.ts";

/** Renders the report files of records again, for example after several jobs measured one host each. */
export async function report(paths: readonly string[], reportDir: string, world: World): Promise<CommandOutcome> {
  const runs = [];
  for (const path of paths) runs.push({ record: await readRecord(path, world), analysis: null, verdict: null });
  await writeReports({ runs, verdict: null }, { configPath: null, report: { dir: reportDir } }, world);
  const text = `Wrote junit.xml, summary.md and results.json of ${runs.length} records to ${reportDir}`;
  return { exitCode: 0, text, json: { reportDir, records: runs.map(({ record }) => record.run.id) } };
}
