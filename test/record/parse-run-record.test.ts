import { describe, expect, it } from "vitest";
import { parseBaseline, parseRunRecord, parseRunRecords } from "../../src/record/parse-run-record.ts";
import { examplePoint, exampleRecord } from "../fakes/example-record.ts";
import { exampleTelemetry } from "../fakes/example-telemetry.ts";

const good = JSON.stringify(exampleRecord());

describe("parseRunRecord()", () => {
  const bad: { name: string; text: string; want: string }[] = [
    { name: "an empty file", text: " \n", want: "it is empty, a JSON object is wanted" },
    {
      name: "a file that is cut short",
      text: good.slice(0, 300),
      want: "it is not JSON (line 1, column 301), a JSON object is wanted",
    },
    {
      name: "a broken line",
      text: '{"schema":"arc-vllm/v1",\n "run": nope}',
      want: "it is not JSON (line 2, column 9), a JSON object is wanted",
    },
    {
      name: "a newer schema",
      text: good.replace("arc-vllm/v1", "arc-vllm/v2"),
      want: 'its schema is "arc-vllm/v2", "arc-vllm/v1" is wanted',
    },
    { name: "another JSON file", text: "[1]", want: 'its schema is not given, "arc-vllm/v1" is wanted' },
    {
      name: "an unknown field",
      text: good.replace('"eligible":', '"eligable":true,"eligible":'),
      want: 'Unrecognized key: "eligable"',
    },
    {
      name: "a wrong type deep inside",
      text: good.replace('"successRatio":1', '"successRatio":"all"'),
      want: "points.0.metrics.successRatio: Invalid input: expected number, received string",
    },
    {
      name: "a ratio above one",
      text: good.replace('"successRatio":1', '"successRatio":7'),
      want: "points.0.metrics.successRatio: Too big: expected number to be <=1",
    },
    {
      name: "a missing field: nothing is filled in",
      text: good.replace('"simulated":false,', ""),
      want: "simulated: Invalid input: expected boolean, received undefined",
    },
  ];
  it.each(bad)("names the file and the place of $name", ({ text, want }) => {
    expect(() => parseRunRecord(text, "history/a.json")).toThrow(
      expect.objectContaining({ code: "RECORD_INVALID", message: `Cannot read record "history/a.json": ${want}` }),
    );
  });

  it("shows the first problems of many and how many more there are", () => {
    const points = exampleRecord().points.concat(exampleRecord().points, exampleRecord().points);
    const text = JSON.stringify({ ...exampleRecord(), points: points.map((point) => ({ ...point, repeat: -1 })) });
    expect(() => parseRunRecord(text, "a.json")).toThrow(/points\.4\.repeat: .*; and 4 more$/);
  });

  it("reads what was seen of the host as it was written", () => {
    const record = exampleRecord({ points: [examplePoint({ host: exampleTelemetry() })] });
    expect(parseRunRecord(JSON.stringify(record), "record.json").points).toEqual(record.points);
  });

  it("parseBaseline() calls the same problem a baseline that cannot be used", () => {
    expect(() => parseBaseline("{", "perf/base.json")).toThrow(
      expect.objectContaining({
        code: "BASELINE_INVALID",
        message: 'Cannot read baseline "perf/base.json": it is not JSON (line 1, column 2), a JSON object is wanted',
      }),
    );
  });

  it("parseRunRecords() reads what it can and reports the rest", () => {
    const { records, problems } = parseRunRecords([
      { path: "a.json", json: good },
      { path: "b.json", json: "" },
    ]);
    expect(records).toEqual([exampleRecord()]);
    expect(problems).toEqual(['Cannot read record "b.json": it is empty, a JSON object is wanted']);
  });
});
