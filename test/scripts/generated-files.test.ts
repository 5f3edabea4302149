import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { generatedFiles } from "../../scripts/docs/generated-files.ts";
import { ERROR_CODES } from "../../src/core/app-error.ts";
import { RUN_OPTIONS } from "../../src/inputs/run-options.ts";

const root = resolve(import.meta.dirname, "../..");
const textOf = (path: string) => generatedFiles(null).find((file) => file.path === path)?.text ?? "";

describe("generatedFiles()", () => {
  it("are what is committed", () => {
    const readme = existsSync(join(root, "README.md")) ? readFileSync(join(root, "README.md"), "utf8") : null;
    const stale = generatedFiles(readme).filter(({ path, text }) => readFileSync(join(root, path), "utf8") !== text);
    expect(stale.map(({ path }) => path)).toEqual([]);
  });

  it("give GitHub an Action of one file for main and post", () => {
    expect(parse(textOf("action.yml"))).toMatchObject({
      name: "arc-vllm",
      runs: { using: "node24", main: "dist/index.cjs", post: "dist/index.cjs", "post-if": "always()" },
      inputs: { command: { default: "run", required: false }, "allow-fork-pr": { default: "false" } },
      outputs: { verdict: { description: expect.any(String) } },
    });
  });

  it("describe every option, error code and key", () => {
    for (const name of Object.keys(RUN_OPTIONS))
      expect(textOf("docs/inputs.md")).toMatch(new RegExp(`\`(--)?${name}[\` ]`));
    for (const code of Object.keys(ERROR_CODES)) expect(textOf("docs/errors.md")).toContain(`\`${code}\``);
    const schema = textOf("schema/arc-vllm.schema.json");
    for (const [, key] of textOf("docs/config.md").matchAll(/^\| `([\w/-]+)` /gm)) expect(schema).toContain(`"${key}"`);
  });

  it("complete the flags of an engine, and call unknown ones wrong only where that is known", () => {
    const { properties } = JSON.parse(textOf("schema/arc-vllm.schema.json"));
    const flagsOf = (engine: string) =>
      properties.serve.oneOf.find(
        (branch: { properties: { engine: { const: string } } }) => branch.properties.engine.const === engine,
      ).properties.flags;
    expect(flagsOf("ipex-llm").properties["tensor-parallel-size"]).toMatchObject({ type: "integer", minimum: 1 });
    expect(flagsOf("ipex-llm").additionalProperties).toBe(false);
    expect(flagsOf("vllm").additionalProperties).not.toBe(false);
  });

  it("replace what stands between the markers of the README, and nothing else", () => {
    const readme = "# Title\n\n<!-- inputs -->\nSTALE\n<!-- /inputs -->\n\nEnd\n";
    const text = generatedFiles(readme).find(({ path }) => path === "README.md")?.text ?? "";
    expect(text).toMatch(/^# Title\n\n<!-- inputs -->\n\n\| Input/);
    expect(text).toMatch(/\n\n<!-- \/inputs -->\n\nEnd\n$/);
    expect(text).not.toContain("STALE");
    const plain = "# No markers\n";
    expect(generatedFiles(plain).find(({ path }) => path === "README.md")?.text).toBe(plain);
  });
});
