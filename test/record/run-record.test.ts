import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/app-error.ts";
import {
  completeRecord,
  newRunRecord,
  withDeployment,
  withFacts,
  withFailure,
  withPoint,
  withWarnings,
} from "../../src/record/new-run-record.ts";
import { parseRunRecord } from "../../src/record/parse-run-record.ts";
import {
  exampleDeployment,
  exampleFacts,
  exampleGate,
  examplePoints,
  exampleRecord,
  exampleWorkload,
} from "../fakes/example-record.ts";

const begun = newRunRecord({
  run: { ...exampleRecord().run },
  source: exampleRecord().source,
  simulated: false,
  host: "arc-01",
  workloads: [exampleWorkload()],
});

describe("newRunRecord() and the stages", () => {
  it("is partial, not valid and not eligible until it is completed", () => {
    expect(begun).toMatchObject({ state: "partial", eligible: false, validity: { ok: false }, run: { endedAt: null } });
  });

  it("collects one stage after the other into a complete, eligible record", () => {
    const served = withDeployment(withFacts(begun, exampleFacts()), exampleDeployment());
    const measured = examplePoints().reduce(withPoint, served);
    expect(completeRecord(measured, "2026-09-24T02:13:32.000Z", exampleGate())).toEqual(exampleRecord());
  });

  it("has its fingerprint as soon as a server runs, so that a killed run can say what it was", () => {
    expect(withDeployment(begun, exampleDeployment()).fingerprint).not.toBeNull();
  });

  it("never changes the record it was given", () => {
    const before = structuredClone(begun);
    withWarnings(withFacts(begun, exampleFacts()), ["x"]);
    expect(begun).toEqual(before);
  });

  it("withFailure() keeps what was measured and says why the run ended", () => {
    const measured = examplePoints().reduce(withPoint, begun);
    const error = new AppError("SERVER_EXITED", {
      message: "Cannot start the server: exit code 1",
      hint: "Read the log",
    });
    expect(withFailure(measured, error, "2026-09-24T02:05:00.000Z")).toMatchObject({
      state: "partial",
      eligible: false,
      points: measured.points,
      failure: { code: "SERVER_EXITED", message: "Cannot start the server: exit code 1", hint: "Read the log" },
      validity: { ok: false, reasons: ["Cannot start the server: exit code 1"] },
    });
  });

  it("every stage can be written and read back", () => {
    const failed = withFailure(begun, new Error("boom"), "2026-09-24T02:05:00.000Z");
    for (const record of [begun, withFacts(begun, exampleFacts()), exampleRecord(), failed]) {
      expect(parseRunRecord(JSON.stringify(record), "record.json")).toEqual(record);
    }
  });
});
