/**
 * Writes everything that is generated from tables in src/: action.yml, the JSON Schema, docs/inputs.md, docs/config.md,
 * docs/errors.md and the inputs table of README.md. `--check` writes nothing and fails when a file is stale.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { generatedFiles } from "./docs/generated-files.ts";

const root = resolve(import.meta.dirname, "..");
const read = (path: string) => readFile(join(root, path), "utf8").catch(() => null);

const stale: string[] = [];
for (const { path, text } of generatedFiles(await read("README.md"))) {
  if ((await read(path)) === text) continue;
  stale.push(path);
  if (process.argv.includes("--check")) continue;
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
  console.log(path);
}

if (process.argv.includes("--check") && stale.length > 0) {
  console.error(`Stale: ${stale.join(", ")}. Run "npm run docs" and commit the result.`);
  process.exitCode = 1;
}
