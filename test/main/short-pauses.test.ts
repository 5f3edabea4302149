import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const file = resolve(import.meta.dirname, "../../src/main/short-pauses.ts");
const importIt = `await import(${JSON.stringify(file)});`;

function run(program: string): { stdout: string; stderr: string } {
  return spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], { encoding: "utf8" });
}

/** MiB that V8 holds for new objects after it was given much to keep for a while. */
function newSpaceMiB(prologue: string): number {
  return Number(
    run(`
    ${prologue}
    const { getHeapSpaceStatistics } = await import("node:v8");
    const kept = [];
    for (let at = 0; at < 2e6; at += 1) kept[at % 1e5] = { at };
    const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
    console.log(space.space_size / 2 ** 20);`).stdout,
  );
}

describe("short-pauses", () => {
  it("keeps the space for new objects small, which V8 by itself does not", () => {
    expect(newSpaceMiB(importIt)).toBeLessThan(newSpaceMiB("") / 2);
  });

  it("uses only flags that this V8 knows: it would name the others", () => {
    expect(run(importIt)).toMatchObject({ stdout: "", stderr: "" });
  });
});
