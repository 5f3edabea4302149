import { describe, expect, it } from "vitest";
import { diagnoseLog } from "../../src/deploy/log-diagnosis.ts";
import cases from "../cases/deploy/log-diagnosis.json" with { type: "json" };

describe("diagnoseLog()", () => {
  it.each(cases)("reads: $name", ({ log, code, hint }) => {
    const found = diagnoseLog(log);
    expect(found?.code ?? null).toBe(code);
    if (hint !== null) expect(found?.hint).toContain(hint);
    if (found !== null) expect(log.map((line) => line.trim())).toContain(found.evidence);
  });
});
