import { describe, expect, it } from "vitest";
import type { TurnSummary } from "../../src/measure/load-point.ts";
import { turnRows, turnTable } from "../../src/report/turn-table.ts";
import { distribution, examplePoint } from "../fakes/example-record.ts";

const turn = (number: number, ttftMs: number): TurnSummary => ({
  turn: number,
  requests: 4,
  ok: 4,
  promptTokens: distribution(100 * number),
  ttftMs: distribution(ttftMs),
  tpotMs: null,
  e2eMs: distribution(900),
});

describe("turnRows()", () => {
  it("puts the repeats of each turn of each level together", () => {
    const points = [
      examplePoint({ repeat: 0, turns: [turn(1, 50), turn(2, 70)] }),
      examplePoint({ repeat: 1, turns: [turn(1, 60), turn(2, 90)] }),
    ];
    expect(turnRows(points).map((row) => row.slice(0, 4))).toEqual([
      ["chat c=12", "1", "8", "8"],
      ["chat c=12", "2", "8", "8"],
    ]);
    expect(turnRows(points)[1]?.slice(5)).toEqual(["80.00", "n/a", "900.0"]);
  });

  it("has nothing to show for requests that stand alone", () => {
    expect(turnTable([examplePoint()])).toBeNull();
  });
});
