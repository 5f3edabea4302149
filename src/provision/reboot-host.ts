import { AppError, type ErrorCode } from "../core/app-error.ts";
import { expectOk } from "../core/expect-ok.ts";
import type { Script } from "../core/script.ts";
import type { RebootExpectation } from "../playbook/playbook.ts";
import type { Clock } from "../ports/clock.ts";
import type { Console } from "../ports/console.ts";
import type { Shell } from "../ports/shell.ts";
import { keyValues } from "../probe/fact-reader.ts";

export interface RebootContext {
  readonly shell: Shell;
  readonly clock: Clock;
  readonly console: Console;
  readonly signal?: AbortSignal;
  /** Folder that stands for / on the host; empty on every real host. */
  readonly root?: string;
}

export const NO_EXPECTATION: RebootExpectation = { uname: null, paths: [], units: [] };

/**
 * Reboots a host and waits until it is back with another boot id, its services are up and the expectation holds.
 * Throws HOST_REBOOT_FAILED, HOST_KEY_MISMATCH at once, or CANCELLED.
 */
export async function rebootHost(context: RebootContext, timeoutMs: number, expect: RebootExpectation): Promise<void> {
  const { shell, clock, console } = context;
  const deadlineMs = clock.nowMs() + timeoutMs;
  const before = await readBootId(context);
  if (before === null) {
    throw rebootFailed(
      shell.host,
      "its boot id cannot be read, so a reboot could not be told from none",
      "Check /proc/sys/kernel/random/boot_id",
    );
  }
  expectOk(shell.host, REBOOT, await shell.run(REBOOT, { ...options(context), onDisconnect: "finish" }));
  const startedMs = clock.nowMs();
  for (let attempt = 0; ; attempt++) {
    // Doubling from 1 s, at most 10 s: a desktop is back in 20 s, a server with much memory needs minutes.
    await clock.sleep(Math.min(1000 * 2 ** attempt, 10_000), context.signal);
    if (context.signal?.aborted) throw cancelled(shell.host);
    const seconds = Math.round((clock.nowMs() - startedMs) / 1000);
    console.progress(`Waiting for ${shell.host} to come back (${seconds} s)`);
    const bootId = await tryBootId(context);
    if (bootId !== null && bootId !== before) break;
    if (clock.nowMs() >= deadlineMs) throw neverBack(shell.host, seconds, bootId === before);
  }
  await expectState(context, expect);
}

async function expectState(context: RebootContext, expect: RebootExpectation): Promise<void> {
  const { shell, console } = context;
  const env = { ARC_ROOT: context.root ?? "", PATHS: expect.paths.join(" "), UNITS: expect.units.join(" ") };
  const script: Script = { name: "look at the host after its reboot", text: STATE, env };
  const result = expectOk(shell.host, script, await shell.run(script, { ...options(context), timeoutMs: 300_000 }));
  const running = keyValues(result.stdout).get("running") ?? "unknown";
  const missing = [...result.stdout.matchAll(/^missing=(.+)$/gm)].map((match) => match[1]);
  const failed = [...result.stdout.matchAll(/^failed=(\S+)/gm)].map((match) => match[1]);
  if (failed.length > 0) console.warn(`Failed units on ${shell.host} after the reboot: ${failed.join(", ")}`);
  if (expect.uname !== null && running !== expect.uname) {
    throw rebootFailed(
      shell.host,
      `it came back with kernel ${running}, ${expect.uname} was expected`,
      "Look at the boot menu: grub-editenv - list; and at the failed boot: journalctl -b -1 -k -p err",
    );
  }
  if (missing.length > 0) {
    throw rebootFailed(
      shell.host,
      `it came back without ${missing.join(", ")}`,
      "Read the kernel log of this boot: journalctl -k -b",
    );
  }
}

async function tryBootId(context: RebootContext): Promise<string | null> {
  try {
    await context.shell.reconnect();
    return await readBootId(context);
  } catch (error) {
    if (error instanceof AppError && RETRY.includes(error.code)) return null;
    throw error;
  }
}

/** While a host boots it may refuse logins (pam_nologin), so a failed login is no answer yet. */
const RETRY: readonly ErrorCode[] = ["HOST_UNREACHABLE", "HOST_AUTH_FAILED", "HOST_CONNECTION_LOST"];

async function readBootId(context: RebootContext): Promise<string | null> {
  const script = { name: "read the boot id", text: BOOT_ID, env: { ARC_ROOT: context.root ?? "" } };
  const result = await context.shell.run(script, options(context));
  return result.ended === "exited" && result.exitCode === 0 ? result.stdout.trim() || null : null;
}

function options({ signal }: RebootContext): { timeoutMs: number; signal?: AbortSignal } {
  return signal === undefined ? { timeoutMs: 30_000 } : { timeoutMs: 30_000, signal };
}

const BOOT_ID = 'cat "$ARC_ROOT/proc/sys/kernel/random/boot_id"';

// Detached, so that the command ends well before the connection does.
const REBOOT: Script = {
  name: "reboot",
  sudo: true,
  text: `
sync
if command -v systemd-run >/dev/null; then systemd-run --on-active=2 --collect systemctl reboot
else ( sleep 2; reboot || shutdown -r now ) >/dev/null 2>&1 & fi`,
};

// "degraded" is good enough: which units failed is said, and whether they matter is for the checks to tell.
const STATE = `
if command -v timeout >/dev/null; then timeout 180 systemctl is-system-running --wait >/dev/null 2>&1
else systemctl is-system-running --wait >/dev/null 2>&1; fi
echo "running=$(uname -r)"
for path in $PATHS; do [ -e "$ARC_ROOT$path" ] || echo "missing=$path"; done
for unit in $UNITS; do [ "$(systemctl is-active "$unit" 2>/dev/null)" = active ] || echo "missing=$unit (active)"; done
systemctl list-units --failed --plain --no-legend 2>/dev/null | while read -r unit _; do echo "failed=$unit"; done
true`;

function neverBack(host: string, seconds: number, sameBoot: boolean): AppError {
  return sameBoot
    ? rebootFailed(
        host,
        `it did not go down within ${seconds} s`,
        "Look for what blocks the shutdown: systemctl list-jobs",
      )
    : rebootFailed(
        host,
        `it did not come back within ${seconds} s`,
        "Look at its console; after a trial boot a power cycle brings the old kernel back",
      );
}

function rebootFailed(host: string, why: string, hint: string): AppError {
  return new AppError("HOST_REBOOT_FAILED", { message: `Cannot reboot host "${host}": ${why}`, hint });
}

function cancelled(host: string): AppError {
  return new AppError("CANCELLED", {
    message: `Cannot wait for host "${host}" to come back: cancelled`,
    hint: "Run again when ready; the host finishes its reboot by itself",
  });
}
