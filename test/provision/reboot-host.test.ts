import { describe, expect, it } from "vitest";
import { AppError, type ErrorCode } from "../../src/core/app-error.ts";
import type { Shell } from "../../src/ports/shell.ts";
import { NO_EXPECTATION, rebootHost } from "../../src/provision/reboot-host.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { fakeConsole } from "../fakes/fake-console.ts";
import { fakeShell } from "../fakes/fake-shell.ts";

interface Host {
  /** Boot ids in the order in which they are read; null: the connection breaks. */
  readonly bootIds: readonly (string | null)[];
  /** What `reconnect` throws, in order; then nothing. */
  readonly refusals?: readonly ErrorCode[];
  readonly state?: string;
}

function rebootingShell({ bootIds, refusals = [], state = "running=6.5\n" }: Host): Shell {
  const ids = [...bootIds];
  const left = [...refusals];
  const shell = fakeShell(({ name }) => {
    if (name === "read the boot id") {
      const id = ids.length > 1 ? ids.shift() : ids[0];
      return id === null || id === undefined ? { ended: "connection-lost" } : { stdout: `${id}\n` };
    }
    return name.startsWith("look") ? { stdout: state } : {};
  });
  const reconnect = async () => {
    const code = left.shift();
    if (code !== undefined) throw new AppError(code, { message: "refused", hint: "wait" });
    await shell.reconnect();
  };
  return { ...shell, run: shell.run, reconnect };
}

const wait = (shell: Shell, expectation = NO_EXPECTATION, timeoutMs = 600_000) =>
  rebootHost({ shell, clock: new FakeClock(), console: fakeConsole() }, timeoutMs, expectation);

describe("rebootHost()", () => {
  it("waits until the boot id is another one", async () => {
    await expect(wait(rebootingShell({ bootIds: ["a", "a", null, "a", "b"] }))).resolves.toBeUndefined();
  });

  it("waits while the host is down and while it refuses logins", async () => {
    const refusals: ErrorCode[] = ["HOST_UNREACHABLE", "HOST_UNREACHABLE", "HOST_AUTH_FAILED"];
    await expect(wait(rebootingShell({ bootIds: ["a", "b"], refusals }))).resolves.toBeUndefined();
  });

  it("ends at once when the host key is another one", async () => {
    const shell = rebootingShell({ bootIds: ["a", "b"], refusals: ["HOST_KEY_MISMATCH"] });
    await expect(wait(shell)).rejects.toMatchObject({ code: "HOST_KEY_MISMATCH" });
  });

  it("tells a host that never went down from one that never came back", async () => {
    await expect(wait(rebootingShell({ bootIds: ["a"] }), NO_EXPECTATION, 60_000)).rejects.toMatchObject({
      code: "HOST_REBOOT_FAILED",
      message: expect.stringContaining("did not go down"),
    });
    const gone = rebootingShell({ bootIds: ["a"], refusals: Array(100).fill("HOST_UNREACHABLE") });
    await expect(wait(gone, NO_EXPECTATION, 60_000)).rejects.toMatchObject({
      code: "HOST_REBOOT_FAILED",
      message: expect.stringContaining("did not come back"),
    });
  });

  it("refuses to reboot a host whose boot id it cannot read", async () => {
    await expect(wait(rebootingShell({ bootIds: [null] }))).rejects.toMatchObject({ code: "HOST_REBOOT_FAILED" });
  });

  it("fails when another kernel than expected runs", async () => {
    const shell = rebootingShell({ bootIds: ["a", "b"], state: "running=6.8\n" });
    await expect(wait(shell, { ...NO_EXPECTATION, uname: "6.5" })).rejects.toMatchObject({
      code: "HOST_REBOOT_FAILED",
      message: expect.stringContaining("kernel 6.8, 6.5 was expected"),
    });
  });

  it("fails when something expected is missing, and only warns about failed units", async () => {
    const state = "running=6.5\nmissing=/dev/dri/renderD128\nfailed=snapd.service\n";
    const shell = rebootingShell({ bootIds: ["a", "b"], state });
    await expect(wait(shell)).rejects.toMatchObject({
      message: expect.stringContaining("without /dev/dri/renderD128"),
    });
    const console = fakeConsole();
    const degraded = rebootingShell({ bootIds: ["a", "b"], state: "running=6.5\nfailed=snapd.service\n" });
    await rebootHost({ shell: degraded, clock: new FakeClock(), console }, 60_000, NO_EXPECTATION);
    expect(console.lines).toEqual([expect.stringContaining("snapd.service")]);
  });

  it("can be cancelled while it waits", async () => {
    const controller = new AbortController();
    const clock = new FakeClock();
    const shell = rebootingShell({ bootIds: ["a", "a"] });
    const sleep = clock.sleep.bind(clock);
    clock.sleep = async (ms, signal) => {
      controller.abort();
      await sleep(ms, signal);
    };
    const context = { shell, clock, console: fakeConsole(), signal: controller.signal };
    await expect(rebootHost(context, 60_000, NO_EXPECTATION)).rejects.toMatchObject({ code: "CANCELLED" });
  });
});
