import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repository, runCli } from "./mini-runner.ts";

const ONE_LOAD = ["self-test", "--streams", "4", "--events-per-second", "200"];

/** Truth servers of this repository's program that run now. */
function truthServers(): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return command.includes("truth-server") && command.includes(join(repository, "dist/cli.cjs"));
    } catch {
      return false;
    }
  });
}

describe("arc-vllm self-test", () => {
  it("says how far this client is right, and ends its truth server", async () => {
    const { exitCode, stdout } = await runCli(["--json", ...ONE_LOAD], { cwd: tmpdir() });
    const said = JSON.parse(stdout);
    expect(said.checks).toMatchObject([{ load: { streams: 4, eventsPerSecond: 200 }, miscounted: 0 }]);
    expect(said.faults.filter((fault: { ok: boolean }) => !fault.ok)).toEqual([]);
    // How late this machine is at the moment decides, and the exit code says the same as the words.
    expect(exitCode).toBe(said.trusted === null ? 5 : 0);
    expect(said.verdict).toMatch(said.trusted === null ? /not to be trusted/ : /up to 4 streams and 200 events\/s/);
    expect(truthServers()).toEqual([]);
  });

  it("leaves no truth server behind when it is killed", async () => {
    await runCli(ONE_LOAD, {
      cwd: tmpdir(),
      onStart: (child) => {
        const look = setInterval(() => {
          if (truthServers().length === 0) return;
          clearInterval(look);
          child.kill("SIGKILL");
        }, 50);
      },
    });
    await expect.poll(truthServers, { timeout: 5000 }).toEqual([]);
  });

  it("refuses half a load", async () => {
    const { exitCode, stderr } = await runCli(["self-test", "--streams", "4"], { cwd: tmpdir() });
    expect(stderr).toContain("--streams: found without --events-per-second, wanted both");
    expect(exitCode).toBe(2);
  });
});
