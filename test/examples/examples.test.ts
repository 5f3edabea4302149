import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, parseDocument } from "yaml";
import { parseConfig } from "../../src/inputs/parse-config.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const list = (folder: string) => readdirSync(join(root, folder)).filter((name) => name.endsWith(".yml"));

const action = parse(read("action.yml")) as { inputs: Record<string, unknown>; outputs: Record<string, unknown> };

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

function stepsOf(workflow: string): Step[] {
  return stepsIn(read(workflow));
}

function stepsIn(text: string): Step[] {
  const { jobs } = (parse(text) ?? {}) as { jobs?: Record<string, { steps: Step[] }> };
  return Object.values(jobs ?? {}).flatMap(({ steps }) => steps);
}

/** YAML of a Markdown file, with the heading it stands under. */
function yamlBlocks(path: string): string[] {
  return [...read(path).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");
}

describe("examples/*.yml", () => {
  it.each(list("examples"))("%s is a configuration without mistakes or warnings", (name) => {
    const config = parseConfig(read(`examples/${name}`), name, () => "key");
    expect(config.warnings).toEqual([]);
    expect(config.workloads.length).toBeGreaterThan(0);
  });

  it.each(list("examples"))("%s names its schema for editors", (name) => {
    expect(read(`examples/${name}`)).toMatch(
      /^# yaml-language-server: \$schema=\.\.\/schema\/arc-vllm\.schema\.json\n/,
    );
  });
});

describe("examples/workflows/*.yml", () => {
  const workflows = list("examples/workflows").map((name) => `examples/workflows/${name}`);

  it.each(workflows)("%s passes only inputs that the Action has", (path) => {
    const ours = stepsOf(path).filter(({ uses }) => uses?.includes("/arc-vllm-action@"));
    expect(ours).toHaveLength(1);
    expect(Object.keys(ours[0]?.with ?? {}).filter((name) => !(name in action.inputs))).toEqual([]);
  });

  it.each(workflows)("%s reads only outputs that the Action has", (path) => {
    const names = [...read(path).matchAll(/steps\.arc\.outputs\.([\w-]+)/g)].map((match) => match[1] ?? "");
    expect(names.filter((name) => !(name in action.outputs))).toEqual([]);
  });

  it.each(workflows)("%s pins what it uses, keeps no credentials and can write nothing", (path) => {
    const steps = stepsOf(path);
    expect(steps.flatMap(({ uses }) => uses ?? []).filter((uses) => !/@[0-9a-f]{40}$/.test(uses))).toEqual([]);
    const checkout = steps.find(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(checkout?.with).toMatchObject({ "persist-credentials": false });
    expect(parse(read(path))).toMatchObject({ permissions: { contents: "read" } });
  });

  it.each(workflows)("%s puts no expression into a shell script", (path) => {
    expect(stepsOf(path).filter(({ run }) => run?.includes(`$${"{{"}`))).toEqual([]);
  });
});

describe("YAML in the documentation", () => {
  const pages = [
    "README.md",
    ...readdirSync(join(root, "docs"))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`),
  ];

  it.each(pages)("of %s parses, and whole configurations have no mistakes", (path) => {
    for (const block of yamlBlocks(path)) {
      expect(parseDocument(block).errors, block).toEqual([]);
      if (/^version: 1$/m.test(block)) parseConfig(block, path, () => "key");
      for (const { uses, with: inputs } of stepsIn(block)) {
        if (!uses?.includes("/arc-vllm-action@")) continue;
        expect(Object.keys(inputs ?? {}).filter((name) => !(name in action.inputs))).toEqual([]);
      }
    }
  });
});
