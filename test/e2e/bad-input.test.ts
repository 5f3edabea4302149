import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "./mini-runner.ts";

function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "arc-vllm-cli-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const HOST = `
version: 1
hosts:
  - name: arc-01
    address: 127.0.0.1
    port: 1
    user: bench
    host-key: SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s
`;

describe("arc-vllm with bad input", () => {
  it("names file, line and column of every mistake and the nearest key, and exits 2", async () => {
    const cwd = folderWith({ "arc-vllm.yml": `${HOST}    usr: x\nplaybok: ubuntu-22.04-a770\n` });
    const { exitCode, stderr } = await runCli(["run"], { cwd });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/arc-vllm\.yml:9:5 .*usr.*did you mean "user"/);
    expect(stderr).toMatch(/arc-vllm\.yml:10:1 .*playbok.*did you mean "playbook"/);
  });

  it("names a configuration that is not there", async () => {
    const { exitCode, stderr } = await runCli(["run", "--config", "nope.yml"], { cwd: folderWith() });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('"nope.yml"') });
    expect(stderr).toContain("CONFIG_NOT_FOUND");
  });

  it.each([
    { args: ["chek"], code: 2, says: "check" },
    { args: ["check", "--prot", "22"], code: 2, says: "--port" },
    { args: ["check", "--host", "bench@10.0.0.5"], code: 3, says: "HOST_KEY_MISSING" },
    { args: ["check"], code: 2, says: "without a host" },
    { args: ["provision", "--local"], code: 2, says: "names no playbook" },
    { args: ["check", "--local", "--playbook", "ubuntu-22.04-a77"], code: 2, says: "ubuntu-22.04-a770" },
    { args: ["serve", "--local"], code: 2, says: 'no section "serve"' },
    { args: ["bench", "--model", "m", "--max-concurrency", "0"], code: 2, says: "--max-concurrency" },
    {
      args: ["bench", "--base-url", "http://127.0.0.1:1", "--model", "m", "--num-prompts", "1"],
      code: 4,
      says: "127.0.0.1:1",
    },
    { args: ["compare", "a.json", "b.json"], code: 2, says: '"b.json"' },
    { args: ["report", "a.json"], code: 2, says: '"a.json"' },
  ])("$args exits $code and says $says", async ({ args, code, says }) => {
    const { exitCode, stdout, stderr } = await runCli(args, { cwd: folderWith() });
    expect(stderr + stdout).toContain(says);
    expect(exitCode).toBe(code);
  });

  it("says that a key is missing, naming the variable", async () => {
    const cwd = folderWith({ "arc-vllm.yml": HOST });
    const { exitCode, stderr } = await runCli(["check"], { cwd });
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("ARC_VLLM_SSH_PRIVATE_KEY"),
    });
  });

  it("refuses a corrupt record and names the place in it", async () => {
    const cwd = folderWith({ "broken.json": '{"schema": "arc-vllm/v1", "run": {' });
    const { exitCode, stderr } = await runCli(["compare", "broken.json", "broken.json"], { cwd });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/broken\.json/);
    expect(stderr).toMatch(/RECORD_INVALID|BASELINE_INVALID/);
  });

  it("gives machines one JSON value, also for an error", async () => {
    const { exitCode, stdout } = await runCli(["check", "--json"], { cwd: folderWith() });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "INPUT_INVALID" } });
    expect(exitCode).toBe(2);
  });
});
