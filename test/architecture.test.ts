import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** Folders left to right: each may import itself and everything before it. */
const chain = [
  "core",
  "config",
  "inputs",
  "probe",
  "requirements",
  "playbook",
  "plan",
  "provision",
  "deploy",
  "stream",
  "prompts",
  "measure",
  "bench",
  "trust",
  "record",
  "foreign",
  "analyse",
  "study",
  "report",
  "gate",
];
/** Those that work on the world through ports that they are given; all others are pure. */
const takesPorts = new Set(["probe", "provision", "deploy", "prompts", "measure", "bench", "trust"]);
const pure = new Set(chain.filter((folder) => !takesPorts.has(folder)));

/** What touches the world; only main knows it. */
const outside = [
  "adapters",
  "adapters-http",
  "adapters-shell",
  "sim-vllm",
  "sim-machine",
  "sim-commands",
  "sim",
  "truth",
];

const mayImport: Record<string, readonly string[]> = {
  ...Object.fromEntries(chain.map((folder, index) => [folder, chain.slice(0, index + 1)])),
  ports: ["core", "ports"],
  adapters: ["core", "config", "inputs", "record", "ports", "adapters"],
  "adapters-http": ["core", "config", "inputs", "ports", "adapters", "adapters-http"],
  "adapters-shell": ["core", "config", "inputs", "ports", "adapters", "adapters-shell"],
  "sim-vllm": ["core", "ports", "sim-vllm"],
  "sim-machine": ["core", "ports", "sim-vllm", "sim-machine"],
  "sim-commands": ["core", "ports", "sim-vllm", "sim-machine", "sim-commands"],
  sim: ["core", "ports", "sim-vllm", "sim-machine", "sim-commands", "sim"],
  truth: ["core", "ports", "truth"],
  pipeline: [...chain, "ports", "pipeline"],
  commands: [...chain, "ports", "sim", "sim-commands", "pipeline", "commands"],
  main: [...chain, "ports", ...outside, "pipeline", "commands", "main"],
};
for (const folder of takesPorts) {
  mayImport[folder] = [...(mayImport[folder] ?? []), "ports"];
}

/** Every way the import rule can be broken by one file, in words. Exported behaviour of this test: see the planted cases. */
function importViolations(path: string, source: string): string[] {
  const folder = path.split("/")[1] ?? "";
  return importsOf(source).flatMap((specifier) => {
    if (specifier.startsWith("node:")) {
      return pure.has(folder) ? [`${path} is pure and imports ${specifier}`] : [];
    }
    if (!specifier.startsWith(".")) return [];
    const target = relative(".", join(dirname(path), specifier)).split("/")[1] ?? "";
    return mayImport[folder]?.includes(target) ? [] : [`${path} imports ${target}, which ${folder} may not`];
  });
}

function importsOf(source: string): string[] {
  return [...source.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map((match) => match[1] as string);
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const files = sourceFiles("src").map((path) => ({ path, source: readFileSync(join(root, path), "utf8") }));

describe("architecture", () => {
  it("keeps every import inside the rule of ARCHITECTURE.md", () => {
    expect(files.flatMap(({ path, source }) => importViolations(path, source))).toEqual([]);
  });

  it("is red when a forbidden import is planted", () => {
    const planted = 'import { openSshShell } from "../adapters/ssh-shell.ts";';
    expect(importViolations("src/bench/planted.ts", planted)).toEqual([
      "src/bench/planted.ts imports adapters, which bench may not",
    ]);
    expect(importViolations("src/plan/planted.ts", 'import { readFile } from "node:fs/promises";')).toHaveLength(1);
    expect(
      importViolations("src/plan/planted.ts", 'import type { Deployment } from "../deploy/deployment.ts";'),
    ).toHaveLength(1);
  });

  it("keeps the clock and chance out of pure folders", () => {
    const used = files
      .filter(({ path }) => pure.has(path.split("/")[1] ?? ""))
      .filter(({ source }) => /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|setTimeout)\b/.test(source));
    expect(used.map(({ path }) => path)).toEqual([]);
  });

  it("keeps every source file under 300 lines", () => {
    expect(files.filter(({ source }) => source.split("\n").length > 301).map(({ path }) => path)).toEqual([]);
  });

  it("names no catch-all files", () => {
    const banned = /\/(utils?|helpers?|common|manager|service|index|misc)\.ts$/;
    expect(files.filter(({ path }) => banned.test(path)).map(({ path }) => path)).toEqual([]);
  });

  it("has no module mocks, skipped or focused tests", () => {
    const banned = new RegExp(["vi\\.mock\\(", "vi\\.spyOn\\(", "\\.only\\(", "\\.skip\\(", "\\.todo\\("].join("|"));
    const offenders = sourceFiles("test")
      .filter((path) => path !== "test/architecture.test.ts")
      .filter((path) => banned.test(readFileSync(join(root, path), "utf8")));
    expect(offenders).toEqual([]);
  });
});
