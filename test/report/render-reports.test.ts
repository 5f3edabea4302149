import { describe, expect, it } from "vitest";
import { parseRunRecord } from "../../src/record/parse-run-record.ts";
import { renderReports } from "../../src/report/render-reports.ts";
import { resultsSchema } from "../../src/report/results-json.ts";
import { nextNight, reportedRun, slowerPoints } from "../fakes/example-analysis.ts";
import { exampleRecord } from "../fakes/example-record.ts";

const run = reportedRun(nextNight({ points: slowerPoints(1.09) }));
const options = { configPath: "perf/arc-vllm.yml" };

function files(...runs: Parameters<typeof renderReports>[0]["runs"]) {
  const rendered = renderReports({ runs, verdict: runs[0]?.verdict ?? null }, options);
  return Object.fromEntries(rendered.map(({ path, text }) => [path, text]));
}

describe("renderReports()", () => {
  it("makes a JUnit file, a summary, results and the record", () => {
    expect(Object.keys(files(run))).toEqual(["junit.xml", "summary.md", "results.json", "record-run-2.json"]);
  });

  it("writes records that can be read back", () => {
    expect(parseRunRecord(files(run)["record-run-2.json"] ?? "", "record-run-2.json")).toEqual(run.record);
  });

  it("writes results that keep to their schema and hold verdict, comparisons and points", () => {
    const results = resultsSchema.parse(JSON.parse(files(run)["results.json"] ?? ""));
    expect(results.verdict).toEqual(run.verdict);
    expect(results.runs[0]).toMatchObject({
      label: "arc-01",
      record: "record-run-2.json",
      baselineRunId: "run-1",
      comparisons: run.analysis.comparisons,
      points: run.record.points,
    });
  });

  it("writes results for runs without a verdict and with an error", () => {
    const failure = { code: "SERVER_EXITED", message: "Cannot start", hint: "Read" };
    const failed = { record: exampleRecord({ failure, points: [], deployment: null }), analysis: null, verdict: null };
    const results = resultsSchema.parse(JSON.parse(files(failed)["results.json"] ?? ""));
    expect(results).toMatchObject({ verdict: null, runs: [{ failure, comparisons: [] }] });
  });

  it("holds every host of a run", () => {
    const other = reportedRun(nextNight({ host: "arc-02", run: { ...nextNight().run, id: "run-2-arc-02" } }));
    const made = files(run, other);
    expect(Object.keys(made).slice(3)).toEqual(["record-run-2.json", "record-run-2-arc-02.json"]);
    expect(JSON.parse(made["results.json"] ?? "").runs.map(({ label }: { label: string }) => label)).toEqual([
      "arc-01",
      "arc-02",
    ]);
    expect(made["junit.xml"]).toContain('<testsuite name="arc-02 / chat"');
  });

  it("does not let a run id leave the report folder", () => {
    const odd = { ...run, record: { ...run.record, run: { ...run.record.run, id: "../../etc/x" } } };
    expect(Object.keys(files(odd))[3]).toBe("record-.._.._etc_x.json");
  });

  it("shows no place in JUnit when there is no configuration file", () => {
    const [junit] = renderReports({ runs: [run], verdict: run.verdict }, { configPath: null });
    expect(junit?.text).not.toContain("file=");
    expect(junit?.text).not.toContain("line=");
  });
});
