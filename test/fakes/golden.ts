import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { expect } from "vitest";

const folder = resolve(import.meta.dirname, "../golden");

/** Compares a whole text with a file in test/golden. `UPDATE_GOLDEN=1` writes the file instead: read the diff then. */
export function expectGolden(name: string, text: string): void {
  const path = resolve(folder, name);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, "utf8"));
}
