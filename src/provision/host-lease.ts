import { randomBytes } from "node:crypto";
import { AppError } from "../core/app-error.ts";
import type { Script } from "../core/script.ts";
import type { Clock } from "../ports/clock.ts";
import type { Console } from "../ports/console.ts";
import type { Shell } from "../ports/shell.ts";

/** The right to change a host, or to measure on it, alone. Ends by itself within 90 s when we vanish. */
export interface HostLease {
  /** Runs work that drops the connection, such as a reboot, and keeps others out until we are back. */
  across<T>(timeoutMs: number, work: () => Promise<T>): Promise<T>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface LeaseContext {
  readonly shell: Shell;
  readonly clock: Clock;
  readonly console: Console;
  /** Who holds the host, for those who find it busy: a run's address or id. */
  readonly owner: string;
  /** How long to wait for another run to end; 0: not at all. */
  readonly waitMs: number;
  /** The lock lies where only root can write; without sudo only root logins can take it. */
  readonly sudo: boolean;
  readonly signal?: AbortSignal;
  /** Folder that stands for / on the host; empty on every real host. */
  readonly root?: string;
}

const RETRY_MS = 10_000;
/** A held lock is a script that runs as long as the lease does. */
const LONGEST_MS = 7 * 86_400_000;

/**
 * Takes the host, or throws HOST_BUSY with who has it. A host without working locks cannot be locked: a warning says so. The lock
 * dies with the connection; what keeps it over our own reboot is a lease file, good until its deadline or 4 min after the boot.
 */
export async function takeLease(context: LeaseContext): Promise<HostLease> {
  const token = randomBytes(8).toString("hex");
  let held = await waitForLock(context, token, context.waitMs);
  return {
    async across(timeoutMs, work) {
      if (!held.real) return work();
      await bridge(context, token, timeoutMs);
      await held.end();
      const result = await work();
      // Nobody else can have it: the lease file names us until its deadline.
      held = await waitForLock(context, token, 60_000);
      return result;
    },
    async [Symbol.asyncDispose]() {
      await held.end();
    },
  };
}

interface HeldLock {
  /** False on a host whose locks keep nobody out. */
  readonly real: boolean;
  end(): Promise<void>;
}

async function waitForLock(context: LeaseContext, token: string, waitMs: number): Promise<HeldLock> {
  const { shell, clock, console, signal } = context;
  const startedMs = clock.nowMs();
  for (;;) {
    const answer = await tryLock(context, token);
    if (answer.lock !== null) return answer.lock;
    const waitedMs = clock.nowMs() - startedMs;
    if (waitedMs >= waitMs) throw busy(shell.host, answer.holder, waitedMs);
    console.progress(`Waiting for ${shell.host}: ${answer.holder} (${timeText(waitedMs)} of ${timeText(waitMs)})`);
    await clock.sleep(RETRY_MS, signal);
    if (signal?.aborted) {
      throw new AppError("CANCELLED", {
        message: `Cannot wait for host "${shell.host}": cancelled`,
        hint: "Run again when ready",
      });
    }
  }
}

/** Starts the script that holds the lock and waits for its first word. */
async function tryLock(
  context: LeaseContext,
  token: string,
): Promise<{ lock: HeldLock; holder: null } | { lock: null; holder: string }> {
  const { shell, console } = context;
  const release = new AbortController();
  const script = lockScript("hold the host", HOLD, context, { TOKEN: token });
  let firstWord: (line: string) => void = () => {};
  const said = new Promise<string>((resolve) => {
    firstWord = resolve;
  });
  const signal = context.signal === undefined ? release.signal : AbortSignal.any([release.signal, context.signal]);
  const onLine = (line: string) => {
    if (line.startsWith("@")) firstWord(line);
  };
  const run = shell.run(script, { timeoutMs: LONGEST_MS, signal, onLine });
  // The end of the script without a word, or an error before it, is an answer too.
  const ended = run.then(({ ended: how, stderr }) => `@ended ${how} ${stderr.trim()}`);
  // Whoever awaits `said` sees a failure; a later one (the connection of a reboot) is expected.
  ended.catch(() => {});
  const line = await Promise.race([said, ended]);
  if (line.startsWith("@busy ")) return { lock: null, holder: holderOf(line) };
  if (line === "@unlocked") console.warn(`${shell.host} has no locks that work: nothing keeps other runs out`);
  else if (line !== "@locked") throw cannotLock(shell.host, line);
  return {
    lock: {
      real: line === "@locked",
      async end() {
        release.abort();
        await ended.catch(() => {});
      },
    },
    holder: null,
  };
}

/** Leaves a note that outlives the connection and the boot, since /run does not. */
async function bridge(context: LeaseContext, token: string, timeoutMs: number): Promise<void> {
  const seconds = String(Math.ceil(timeoutMs / 1000) + 60);
  const script = lockScript("keep the host over a reboot", BRIDGE, context, { TOKEN: token, LEASE_SECONDS: seconds });
  await context.shell.run(script, { timeoutMs: 30_000 });
}

function lockScript(name: string, text: string, context: LeaseContext, env: Record<string, string>): Script {
  const common = { ARC_ROOT: context.root ?? "", OWNER: context.owner.replace(/\s+/g, " ") };
  return { name, text, env: { ...common, ...env }, sudo: context.sudo };
}

const FILES = `
lock="$ARC_ROOT/run/lock/arc-vllm.lock"
lease="$ARC_ROOT/var/lib/arc-vllm/lease"
mkdir -p "\${lock%/*}" "\${lease%/*}"
boot_id() { cat "$ARC_ROOT/proc/sys/kernel/random/boot_id" 2>/dev/null || echo unknown; }
`;

// The lock belongs to the open descriptor: whatever is started here must not inherit it, or it would hold on.
const HOLD = `${FILES}
command -v flock >/dev/null || { echo @unlocked; exit 0; }
exec 9>>"$lock"
if ! flock -n 9; then
  since=$(stat -c %Y "$lock.owner" 2>/dev/null) && held=$(( $(date +%s) - since )) || held=unknown
  echo "@busy $held $(cat "$lock.owner" 2>/dev/null || echo 'another run')"
  exit 75
fi
# Some file systems grant every lock to everybody.
if flock -n "$lock" true 9>&-; then echo @unlocked; exit 0; fi
if [ -s "$lease" ]; then
  IFS=' ' read -r until token boot owner < "$lease"
  # Whoever rebooted the host looks for it every 10 s and is back in its first minutes, or does not come any more.
  up_s=0
  if [ "$boot" != "$(boot_id)" ]; then IFS=. read -r up_s _ < "$ARC_ROOT/proc/uptime"; fi
  if [ "$token" != "$TOKEN" ] && [ "$until" -gt "$(date +%s)" ] && [ "$up_s" -lt 240 ]; then
    echo "@busy unknown $owner (it reboots the host)"
    exit 75
  fi
fi
rm -f "$lease"
printf '%s\\n' "$OWNER" > "$lock.owner"
echo @locked
while :; do sleep 60 9>&-; done
`;

const BRIDGE = `${FILES}
printf '%s %s %s %s\\n' "$(( $(date +%s) + LEASE_SECONDS ))" "$TOKEN" "$(boot_id)" "$OWNER" > "$lease.new" && mv -f "$lease.new" "$lease"
`;

/** "@busy SECONDS OWNER" in words. */
function holderOf(line: string): string {
  const [, seconds = "unknown", owner = "another run"] = /^@busy (\S+) (.+)$/.exec(line) ?? [];
  return seconds === "unknown" ? `${owner} has it` : `${owner} has had it for ${timeText(Number(seconds) * 1000)}`;
}

function timeText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function busy(host: string, holder: string, waitedMs: number): AppError {
  return new AppError("HOST_BUSY", {
    message: `Cannot take host "${host}": ${holder}${waitedMs < 1000 ? "" : `, waited ${timeText(waitedMs)}`}`,
    hint: "Wait until that run ends, or let this one wait longer: lock-timeout of the host, or --lock-timeout 30m",
  });
}

function cannotLock(host: string, line: string): AppError {
  return new AppError("COMMAND_FAILED", {
    message: `Cannot take host "${host}": its lock could not be taken (${line.replace("@ended ", "")})`,
    hint: "Look at /run/lock/arc-vllm.lock and /var/lib/arc-vllm on the host",
  });
}
