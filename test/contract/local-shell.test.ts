import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { openLocalShell } from "../../src/adapters-shell/local-shell.ts";
import { describeShell } from "./shell-contract.ts";

const spec = { connection: "local", name: "here", address: "127.0.0.1" } as const;
const isRoot = process.getuid?.() === 0;

describeShell(
  "openLocalShell()",
  async () => ({ shell: openLocalShell(spec, systemClock), async close() {} }),
  // Without root nobody knows whether sudo is there and lets us: that path is tested against a real sshd.
  { sudo: isRoot ? "is-root" : "untested", tellsSignals: true },
);

describe("openLocalShell()", () => {
  it("gives scripts the environment of a login, not what the runner put into ours", async () => {
    process.env["INPUT_SSH-PRIVATE-KEY"] = "a secret";
    process.env["RUNNER_TRACKING_ID"] = "github_1";
    const shell = openLocalShell(spec, systemClock);
    const { stdout } = await shell.run({ name: "print the environment", text: "env" }, { timeoutMs: 10_000 });
    expect(stdout).not.toMatch(/INPUT_|RUNNER_|VITEST|secret/);
    expect(stdout).toContain("PATH=");
  });
});
