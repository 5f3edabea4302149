import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { renderBatch, type Section, splitBatch } from "../../src/probe/batch.ts";

/** Runs the batch in a real bash and gives what each section printed. */
function run(sections: readonly Section[]) {
  const batch = renderBatch(sections, "MARK");
  const stdout = execFileSync("bash", ["-c", batch.text], {
    env: { PATH: "/usr/bin:/bin", ...batch.env },
    encoding: "utf8",
  });
  return Object.fromEntries(splitBatch(stdout, "MARK"));
}

describe("renderBatch()", () => {
  it("runs every section, whatever the ones before it did", () => {
    const outputs = run([
      { name: "ok", text: "echo hello" },
      { name: "syntax", text: "if then" },
      { name: "exits", text: "echo bye >&2; exit 7" },
      { name: "missing", text: "no-such-command" },
      { name: "stdin", text: "cat; echo done" },
      { name: "last", text: "printf 'no newline at the end'" },
    ]);
    expect(outputs).toMatchObject({
      ok: { text: "hello\n", exitCode: 0 },
      exits: { text: "bye\n", exitCode: 7 },
      missing: { exitCode: 127 },
      stdin: { text: "done\n", exitCode: 0 },
      last: { text: "no newline at the end", exitCode: 0 },
    });
    expect(outputs["syntax"]?.exitCode).toBeGreaterThan(0);
  });

  it("gives each section its own values, as they are", () => {
    const awkward = `a'b"c $HOME \`id\` \\ \n end`;
    const outputs = run([
      { name: "a", text: 'printf %s "$VALUE"', env: { VALUE: awkward } },
      { name: "b", text: 'printf %s "$VALUE,"' },
    ]);
    expect(outputs["a"]?.text).toBe(awkward.replace(" \n", "\n"));
    expect(outputs["b"]?.text).toBe(",");
  });
});

describe("splitBatch()", () => {
  it("leaves the exit code open when the host never got to the end of a section", () => {
    const outputs = splitBatch("\nMARK begin a\none\n\nMARK end 0\n\nMARK begin b\ntwo", "MARK");
    expect(outputs.get("a")).toEqual({ text: "one\n", exitCode: 0 });
    expect(outputs.get("b")).toEqual({ text: "two", exitCode: null });
    expect(outputs.has("c")).toBe(false);
  });
});
