import { readdirSync, readFileSync } from "node:fs";

/** True while the process exists and is no zombie, which a container without an init may keep for long. */
export function isAlive(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/** Command lines of all living processes that `isWanted` by their session and command line. */
export function processesThat(isWanted: (session: string, commandLine: string) => boolean): string[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && isAlive(pid))
    .map((pid) => ({ pid, ...lookAt(pid) }))
    .filter(({ session, commandLine }) => isWanted(session, commandLine))
    .map(({ pid, commandLine }) => `${pid} ${commandLine.slice(0, 100)}`);
}

function lookAt(pid: string): { session: string; commandLine: string } {
  try {
    const session =
      readFileSync(`/proc/${pid}/stat`, "latin1")
        .replace(/^.*\) /s, "")
        .split(" ")[3] ?? "";
    return { session, commandLine: readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ") };
  } catch {
    return { session: "", commandLine: "" };
  }
}

/** Repeats a check until it passes; fails with its last failure. */
export async function eventually(check: () => void, patienceMs = 8_000): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      return check();
    } catch (cause) {
      if (performance.now() > until) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
