/** Adds up what `.ci/run` left in a folder: *.json of vitest, *.check of single checks. Prints the closing line. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2] ?? ".";
const names = readdirSync(folder);
let passed = 0;
let failed = 0;

for (const name of names.filter((file) => file.endsWith(".check"))) {
  const ok = readFileSync(join(folder, name), "utf8").trim() === "ok";
  const report = readReport(join(folder, name.replace(/\.check$/, ".json")));
  if (report === null) {
    if (ok) passed += 1;
    else failed += 1;
    continue;
  }
  passed += report.numPassedTests;
  // A run that failed without a failed test (a hook, a missing file, an unhandled error) still counts.
  failed += ok ? report.numFailedTests : Math.max(1, report.numFailedTests);
  if (report.numTotalTests === 0) failed += 1;
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
