import { describe, expect, it } from "vitest";
import { inTurn } from "../../src/pipeline/in-turn.ts";

const soon = () => new Promise((resolve) => setImmediate(resolve));

describe("inTurn()", () => {
  it("does one work at a time, in the order in which they came, also after one that failed", async () => {
    const takeTurn = inTurn();
    const seen: string[] = [];
    const work = (name: string, fails = false) =>
      takeTurn(async () => {
        seen.push(`${name} begins`);
        await soon();
        seen.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      });
    const ends = await Promise.allSettled([work("a"), work("b", true), work("c")]);
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(seen).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });
});
