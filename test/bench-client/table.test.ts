import { describe, expect, it } from "vitest";
import type { RunResult } from "../../bench/client/run-once.ts";
import { score } from "../../bench/client/score.ts";
import { accuracyTable, profileFaults } from "../../bench/client/table.ts";
import { exactClaim, truthRequest } from "./truth-request.ts";

function runOf(changes: Partial<RunResult> = {}): RunResult {
  return {
    client: "sink",
    cell: "a3",
    startedAt: "2026-01-01T00:00:00.000Z",
    exitCode: 0,
    score: score([exactClaim()], [truthRequest()], 1),
    cost: null,
    serverCorePct: 10,
    foreignPct: { client: 0, server: 0 },
    machine: { stealPct: 0, corePct: [10, 10] },
    invalid: [],
    details: [],
    outcomes: {},
    ...changes,
  };
}

describe("profileFaults()", () => {
  it("finds nothing wrong with a client that is right, nor with one that does not know its tokens", () => {
    expect(profileFaults(runOf())).toEqual([]);
    const unknown = score([exactClaim({ tokens: null, tpotMs: null })], [truthRequest()], 1);
    expect(profileFaults(runOf({ score: unknown }))).toEqual([]);
  });

  it.each([
    ["a broken answer booked as complete", exactClaim(), truthRequest({ ending: "error" }), "1 booked ok"],
    ["a complete answer booked as broken", exactClaim({ ok: false }), truthRequest(), "1 booked failed"],
    ["a wrong count", exactClaim({ tokens: 3 }), truthRequest(), "1 token counts"],
    ["a role taken for a token", exactClaim({ ttftMs: 170 }), truthRequest(), "TTFT"],
    [
      "a request that the server never saw",
      exactClaim({ stream: 99, startNs: null }),
      truthRequest(),
      "1 unknown requests",
    ],
  ])("names %s", (_title, claim, truth, fault) => {
    expect(profileFaults(runOf({ score: score([claim], [truth], 1) }))).toContain(fault);
  });

  it("says so when there is no result at all", () => {
    expect(profileFaults(runOf({ score: null, exitCode: 143 }))).toEqual(["no result (exit 143)"]);
  });
});

describe("accuracyTable()", () => {
  it("leaves out what does not count, but says that it was there", () => {
    const off = score([exactClaim({ ttftMs: 250 })], [truthRequest()], 1);
    const rows = accuracyTable([runOf({ score: off, invalid: ["server late by 3.00 ms (p99)"] }), runOf()]).split("\n");
    expect(rows[2]).toMatch(/^\| sink \| 1 of 2 \| 0\.00 \| 0\.00 \|/);
  });
});
