import type { RunConfig } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { renderReports } from "../report/render-reports.ts";
import type { Reported } from "../report/reported-run.ts";
import type { RunOutcome } from "./run-outcome.ts";
import type { World } from "./world.ts";

/** Writes junit.xml, summary.md, results.json and the records under the report folder. Throws REPORT_NOT_WRITTEN. */
export async function writeReports(
  reported: Reported,
  config: Pick<RunConfig, "report" | "configPath">,
  world: World,
): Promise<void> {
  for (const { path, text } of renderReports(reported, { configPath: config.configPath })) {
    const file = `${config.report.dir}/${path}`;
    try {
      await world.files.write(file, text);
    } catch (cause) {
      throw new AppError("REPORT_NOT_WRITTEN", {
        message: `Cannot write the report "${file}"`,
        hint: "Check that the folder can be written and that the disk is not full; the record of the run is kept",
        cause,
      });
    }
  }
  world.console.info(`Reports are in ${config.report.dir}`);
}

/** What the reports show of a run. */
export function reportedOf({ hosts, decision }: RunOutcome): Reported {
  return {
    runs: hosts.map(({ record, analysis, decision: verdict }) => ({ record, analysis, verdict })),
    verdict: decision,
  };
}
