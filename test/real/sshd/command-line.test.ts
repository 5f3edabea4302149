import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../e2e/mini-runner.ts";
import { ServedWorkspace } from "../../e2e/served-workspace.ts";
import { type RealSshd, startRealSshd } from "./real-sshd.ts";

let sshd: RealSshd;
beforeAll(async () => {
  sshd = await startRealSshd();
});
afterAll(() => sshd.close());

function key(): Record<string, string> {
  return { ARC_VLLM_SSH_PRIVATE_KEY: readFileSync(sshd.userKeyPath, "utf8") };
}

function fingerprintOf(publicKey: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "arc-vllm-key-")), "key.pub");
  writeFileSync(file, `${publicKey}\n`);
  return /SHA256:\S+/.exec(execFileSync("ssh-keygen", ["-lf", file], { encoding: "utf8" }))?.[0] ?? "";
}

function target(user = sshd.spec.user): string[] {
  return ["--host", `${user}@127.0.0.1:${sshd.spec.port}`, "--host-key", fingerprintOf(sshd.hostKey)];
}

/** The same configuration, with the machine reached over SSH instead of by a local shell. */
function overSsh(workspace: ServedWorkspace): void {
  const { port, user } = sshd.spec;
  const host = `[{ name: here, address: 127.0.0.1, port: ${port}, user: ${user}, host-key: "${fingerprintOf(sshd.hostKey)}" }]`;
  const config = workspace
    .read("arc-vllm.yml")
    .replace("[{ name: here, connection: local }]", host)
    .replace("served-model-name", "bind: 127.0.0.1\n  served-model-name");
  writeFileSync(join(workspace.folder, "arc-vllm.yml"), config);
}

const empty = () => mkdtempSync(join(tmpdir(), "arc-vllm-sshd-cli-"));

describe("arc-vllm over a real sshd", () => {
  it("checks a machine without an Arc card: says so, with remedies, changes nothing, and exits 3", async () => {
    const { exitCode, stdout } = await runCli(["check", ...target()], { cwd: empty(), env: key() });
    expect(stdout).toContain("no Intel GPU in /sys/bus/pci/devices");
    expect(stdout).toMatch(/to do: .*seat and power connectors/);
    expect(stdout).toContain("HOST_NOT_READY");
    expect(exitCode).toBe(3);
  });

  it("refuses the A770 playbook on another operating system before anything is touched", async () => {
    const args = ["provision", ...target(), "--playbook", "ubuntu-22.04-a770"];
    const { exitCode, stdout, stderr } = await runCli(args, { cwd: empty(), env: key() });
    expect(stdout + stderr).toMatch(/HOST_UNSUPPORTED|HOST_NOT_READY/);
    expect(exitCode).toBe(3);
  });

  it("prints the offered key and the line to paste when the host key is another one", async () => {
    const args = ["check", "--host", `root@127.0.0.1:${sshd.spec.port}`, "--host-key", `SHA256:${"A".repeat(43)}`];
    const { exitCode, stdout, stderr } = await runCli(args, { cwd: empty(), env: key() });
    expect(stdout + stderr).toContain(fingerprintOf(sshd.hostKey));
    expect(stdout + stderr).toContain(`[127.0.0.1]:${sshd.spec.port} ${sshd.hostKey}`);
    expect(exitCode).toBe(3);
  });

  it("names the user that the host refuses", async () => {
    const { exitCode, stdout, stderr } = await runCli(["check", ...target("nobody-here")], {
      cwd: empty(),
      env: key(),
    });
    expect(stdout + stderr).toMatch(/HOST_AUTH_FAILED/);
    expect(stdout + stderr).toContain('"nobody-here"');
    expect(exitCode).toBe(3);
  });

  it("names address and port of a host where nothing listens", async () => {
    const args = ["check", "--host", "root@127.0.0.1:1", "--host-key", fingerprintOf(sshd.hostKey)];
    const { exitCode, stdout, stderr } = await runCli(args, { cwd: empty(), env: key() });
    expect(stdout + stderr).toMatch(/127\.0\.0\.1:1\b.*/);
    expect(stdout + stderr).toContain("HOST_UNREACHABLE");
    expect(exitCode).toBe(3);
  });

  it("runs the whole pipeline: serves over SSH, measures, reports, and leaves nothing", async () => {
    const workspace = await ServedWorkspace.make();
    overSsh(workspace);
    const { exitCode, stdout } = await runCli(["run", "--certificate-seconds", "0"], {
      cwd: workspace.folder,
      env: key(),
    });
    expect(stdout).toMatch(/^CALIBRATING: /m);
    expect(exitCode).toBe(0);
    expect(workspace.alive()).toEqual([]);
    expect(workspace.record()).toMatchObject({ state: "complete", deployment: { host: "here" } });
  });

  it("ends the server from the host's side when the client is killed", async () => {
    const workspace = await ServedWorkspace.make({ requests: 100_000 });
    overSsh(workspace);
    await runCli(["run", "--certificate-seconds", "0"], {
      cwd: workspace.folder,
      env: key(),
      onStart(child, log) {
        const timer = setInterval(() => {
          if (!log().includes("Measure short")) return;
          clearInterval(timer);
          child.kill("SIGKILL");
        }, 50);
        child.on("close", () => clearInterval(timer));
      },
    });
    expect(await workspace.untilNothingIsAlive(15_000)).toEqual([]);
    expect(workspace.record()).toMatchObject({ state: "partial" });
  });
});
