import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { openLocalShell } from "../../src/adapters-shell/local-shell.ts";
import type { Shell } from "../../src/ports/shell.ts";
import { type LeaseContext, takeLease } from "../../src/provision/host-lease.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { fakeConsole } from "../fakes/fake-console.ts";
import { fakeShell } from "../fakes/fake-shell.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "arc-vllm-lease-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A run on this machine, whose lock lies below `root`. */
function runner(owner: string, part: Partial<LeaseContext> = {}): LeaseContext {
  const shell = openLocalShell({ connection: "local", name: "here", address: "127.0.0.1" }, systemClock);
  return { shell, clock: systemClock, console: fakeConsole(), owner, waitMs: 0, sudo: false, root, ...part };
}

const lease = () => join(root, "var/lib/arc-vllm/lease");

describe("takeLease()", () => {
  it("keeps a second run out, says who is in, and lets it in afterwards", async () => {
    const first = await takeLease(runner("run one"));
    await expect(takeLease(runner("run two"))).rejects.toMatchObject({
      code: "HOST_BUSY",
      message: expect.stringMatching(/^Cannot take host "here": run one has had it for \d s$/),
    });
    await first[Symbol.asyncDispose]();
    const second = await takeLease(runner("run two"));
    await second[Symbol.asyncDispose]();
  });

  it("says whom it waits for and how long, and gives up after the time-out", async () => {
    const first = await takeLease(runner("run one"));
    utimesSync(join(root, "run/lock/arc-vllm.lock.owner"), new Date(), Date.now() / 1000 - 600);
    const console = fakeConsole();
    await expect(
      takeLease(runner("run two", { console, clock: new FakeClock(), waitMs: 25_000 })),
    ).rejects.toMatchObject({
      message: 'Cannot take host "here": run one has had it for 10 min, waited 30 s',
      hint: expect.stringContaining("--lock-timeout"),
    });
    expect(console.progressLines).toEqual(
      [0, 10, 20].map((waited) => `Waiting for here: run one has had it for 10 min (${waited} s of 25 s)`),
    );
    await first[Symbol.asyncDispose]();
  });

  it("waits for the other run when asked to", async () => {
    const first = await takeLease(runner("run one"));
    const clock = new FakeClock();
    clock.sleep = async () => {
      await first[Symbol.asyncDispose]();
    };
    const second = await takeLease(runner("run two", { clock, waitMs: 60_000 }));
    await second[Symbol.asyncDispose]();
  });

  it("keeps others out while the host reboots, and is back after it", async () => {
    const first = await takeLease(runner("run one"));
    await first.across(60_000, async () => {
      await expect(takeLease(runner("run two"))).rejects.toMatchObject({
        message: expect.stringContaining("run one (it reboots the host)"),
      });
    });
    expect(existsSync(lease())).toBe(false);
    await expect(takeLease(runner("run two"))).rejects.toMatchObject({ code: "HOST_BUSY" });
    await first[Symbol.asyncDispose]();
  });

  it("does not mind the lease of a run that never came back", async () => {
    mkdirSync(join(root, "var/lib/arc-vllm"), { recursive: true });
    writeFileSync(lease(), "1000 abc boot-1 run of 1970\n");
    const first = await takeLease(runner("run one"));
    await first[Symbol.asyncDispose]();
  });

  it.each([
    {
      name: "keeps others out for the first minutes after the reboot",
      bootId: "boot-2",
      uptime: "239.90 1.0",
      busy: true,
    },
    {
      name: "lets others in when whoever rebooted is not back by then",
      bootId: "boot-2",
      uptime: "240.10 1.0",
      busy: false,
    },
    { name: "keeps others out before the host has gone down", bootId: "boot-1", uptime: "9000.00 1.0", busy: true },
  ])("$name", async ({ bootId, uptime, busy }) => {
    mkdirSync(join(root, "var/lib/arc-vllm"), { recursive: true });
    mkdirSync(join(root, "proc/sys/kernel/random"), { recursive: true });
    writeFileSync(join(root, "proc/sys/kernel/random/boot_id"), `${bootId}\n`);
    writeFileSync(join(root, "proc/uptime"), `${uptime}\n`);
    writeFileSync(lease(), `${Math.floor(Date.now() / 1000) + 900} abc boot-1 run one\n`);
    const taking = takeLease(runner("run two"));
    if (busy)
      return expect(taking).rejects.toMatchObject({
        message: expect.stringContaining("run one (it reboots the host)"),
      });
    await (await taking)[Symbol.asyncDispose]();
  });

  it("keeps a lease for the reboot and a minute more", async () => {
    const first = await takeLease(runner("run one"));
    await first.across(60_000, async () => {
      const until = Number(readFileSync(lease(), "utf8").split(" ")[0]);
      expect(until - Math.floor(Date.now() / 1000)).toBeGreaterThan(110);
      expect(until - Math.floor(Date.now() / 1000)).toBeLessThanOrEqual(121);
    });
    await first[Symbol.asyncDispose]();
  });

  it("warns on a host that cannot be locked", async () => {
    const console = fakeConsole();
    const shell: Shell = fakeShell(() => ({ stdout: "@unlocked\n" }));
    const free = await takeLease(runner("run one", { shell, console }));
    await free[Symbol.asyncDispose]();
    expect(console.lines).toEqual([expect.stringContaining("has no locks")]);
  });

  it("fails when the lock cannot be taken at all", async () => {
    const shell = fakeShell(() => ({ exitCode: 1, stderr: "Read-only file system" }));
    await expect(takeLease(runner("run one", { shell }))).rejects.toMatchObject({
      code: "COMMAND_FAILED",
      message: expect.stringContaining("Read-only file system"),
    });
  });
});
