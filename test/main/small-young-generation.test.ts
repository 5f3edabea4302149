import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const file = resolve(import.meta.dirname, "../../src/main/small-young-generation.ts");

/** MiB that V8 holds for new objects after it was given much to keep for a while. */
function newSpaceMiB(prologue: string): number {
  const program = `
    ${prologue}
    const { getHeapSpaceStatistics } = await import("node:v8");
    const kept = [];
    for (let at = 0; at < 2e6; at += 1) kept[at % 1e5] = { at };
    const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
    console.log(space.space_size / 2 ** 20);`;
  return Number(execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program]));
}

describe("small-young-generation", () => {
  it("keeps the space for new objects small, which V8 by itself does not", () => {
    expect(newSpaceMiB(`await import(${JSON.stringify(file)});`)).toBeLessThan(newSpaceMiB("") / 2);
  });
});
