import { renderJunit } from "./junit.ts";
import { junitSuites } from "./junit-suites.ts";
import type { ReportFile } from "./report-file.ts";
import type { Reported } from "./reported-run.ts";
import { renderResults } from "./results-json.ts";
import { renderSummary } from "./summary-markdown.ts";

export interface ReportOptions {
  /** Path of the configuration file, shown as the place of every JUnit case; null without one. */
  readonly configPath: string | null;
  /** Charts in the summary; on unless switched off. */
  readonly charts?: boolean;
}

/** junit.xml, summary.md, results.json and record-<run id>.json for every run, as text; paths are inside the folder. */
export function renderReports(reported: Reported, options: ReportOptions): ReportFile[] {
  const recordPaths = reported.runs.map(
    ({ record }) => `record-${record.run.id.replaceAll(/[^A-Za-z0-9._-]/g, "_")}.json`,
  );
  return [
    { path: "junit.xml", text: renderJunit(junitSuites(reported), { file: options.configPath }) },
    { path: "summary.md", text: renderSummary(reported, { charts: options.charts ?? true }) },
    { path: "results.json", text: renderResults(reported, recordPaths) },
    ...reported.runs.map(({ record }, index) => ({
      path: recordPaths[index] ?? "",
      text: `${JSON.stringify(record, null, 1)}\n`,
    })),
  ];
}
