import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MiniRunner, runCli } from "./mini-runner.ts";

/** A workspace with a playbook that writes into it: nothing else of this machine is changed. */
function workspace(folder: string): string {
  const playbook = `version: 1
name: note
vars: { word: hello }
steps:
  - name: Note
    tags: [files]
    file: { path: ${folder}/note, content: "{{ word }}\\n" }
  - name: Other note
    tags: [others]
    file: { path: ${folder}/other, content: "other\\n" }
`;
  const config =
    "version: 1\nhosts: [{ name: here, connection: local }]\nplaybook: { name: note.yml, vars: { word: hi } }\n";
  writeFileSync(join(folder, "note.yml"), playbook);
  writeFileSync(join(folder, "arc-vllm.yml"), config);
  return folder;
}

describe("arc-vllm check, provision and play", () => {
  it("shows what would change, changes the chosen steps only, and finds nothing left of them", async () => {
    const cwd = workspace(mkdtempSync(join(tmpdir(), "arc-vllm-hosts-")));
    const before = await runCli(["check", "--diff"], { cwd });
    expect(before.stdout).toContain(`# Note\n--- /dev/null\n+++ ${cwd}/note\n@@ -0,0 +1 @@\n+hi\n`);
    expect(before.stdout).not.toContain("\u001b[");
    expect(JSON.parse(readFileSync(join(cwd, "arc-vllm-report/host-facts.json"), "utf8"))).toMatchObject({
      schema: "arc-vllm/host-facts/v1",
      facts: { host: "here", evidence: { kernel: expect.any(String) } },
    });

    const done = await runCli(["provision", "--tags", "files", "--json"], { cwd });
    expect(done.exitCode, done.stderr).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({
      records: [{ steps: [{ status: "changed", diff: expect.stringContaining("+hi") }, { status: "skipped" }] }],
    });
    expect(readFileSync(join(cwd, "note"), "utf8")).toBe("hi\n");

    const after = await runCli(["check", "--tags", "files"], { cwd });
    expect(after.stdout).toMatch(/^here: ready$/m);
  });

  it("refuses a tag that no step has, with exit code 2", async () => {
    const cwd = workspace(mkdtempSync(join(tmpdir(), "arc-vllm-hosts-")));
    const { exitCode, stderr } = await runCli(["provision", "--tags", "file"], { cwd });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('no step has the tag "file", did you mean "files"?');
  });

  it("renders a playbook for a host without going there", async () => {
    const cwd = workspace(mkdtempSync(join(tmpdir(), "arc-vllm-hosts-")));
    const { stdout } = await runCli(["play", "render", "--host", "here", "--step", "Note"], { cwd });
    expect(stdout).toContain('# For host: here\n# $WORD = "hi"');
    expect(stdout).toContain("# --- check");
    expect(stdout).not.toContain("Other note");
    const list = await runCli(["play", "list"], { cwd });
    expect(list.stdout).toContain("ubuntu-22.04-a770: ");
  });

  it("shows it in the Action's log too", async () => {
    const runner = new MiniRunner();
    workspace(runner.workspace);
    const { log } = await runner.main({ inputs: { command: "check", diff: "true", "skip-tags": "others" } });
    expect(log).toContain("+hi");
    expect(log).toContain("left out by tags");
  });
});
