import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AppError } from "../../src/core/app-error.ts";
import type { Script } from "../../src/core/script.ts";
import { Secret } from "../../src/core/secret.ts";
import type { RunOptions, Shell } from "../../src/ports/shell.ts";
import { eventually, isAlive, processesThat } from "./process-probe.ts";

/** A shell on this very machine, so that the suite can look at the processes it starts. */
export interface ShellUnderTest {
  readonly shell: Shell;
  /** Breaks the connection under a running script; absent when there is none to break. */
  readonly loseConnection?: () => void;
  close(): Promise<void>;
}

export interface ShellTraits {
  /** What `sudo: true` gives: the login is root already, sudo works without a password, or sudo refuses. */
  readonly sudo: "is-root" | "allowed" | "refused" | "untested";
  /** False when the transport cannot tell death by a signal from exit code 128 + n. */
  readonly tellsSignals: boolean;
}

/** What every shell must do, whatever carries it. `open` gives a new shell each time. */
export function describeShell(name: string, open: () => Promise<ShellUnderTest>, traits: ShellTraits): void {
  describe(`${name} as a Shell`, () => {
    let given: ShellUnderTest;
    let folder: string;
    beforeAll(async () => {
      given = await open();
      folder = mkdtempSync(join(tmpdir(), "arc-vllm-contract-"));
      // The shell may log in as another user than ours.
      chmodSync(folder, 0o777);
    });
    afterAll(async () => {
      await given.close();
      rmSync(folder, { recursive: true });
    });

    const run = (text: string, more: Partial<Script & RunOptions> = {}) => runOn(given.shell, text, more);
    const path = (file: string) => join(folder, file);

    describeResults(run, traits);
    describeInput(run);
    describeOutput(run);
    // These wait more than they work.
    describe.concurrent("when it is stopped, left or lost", () => {
      describeSudo(run, traits);
      describeStopping(run, path);
      describeBackground(run);
      describeConnection(open, path);
    });
  });
}

type Run = (text: string, more?: Partial<Script & RunOptions>) => ReturnType<Shell["run"]>;

function runOn(shell: Shell, text: string, more: Partial<Script & RunOptions>): ReturnType<Shell["run"]> {
  const { name = "run a test", env = {}, sudo = false, timeoutMs = 15_000, ...options } = more;
  return shell.run({ name, text, env, sudo }, { timeoutMs, ...options });
}

function describeResults(run: Run, { tellsSignals }: ShellTraits): void {
  it.each([0, 1, 7, 127, 128, 255])("run() gives exit code %i as it is", async (exitCode) => {
    expect(await run(`exit ${exitCode}`)).toMatchObject({ ended: "exited", exitCode, signal: null });
  });

  it("run() gives the exit code of the last command, of a failed `set -e` and of a syntax error", async () => {
    expect(await run("true\n(exit 3)")).toMatchObject({ exitCode: 3 });
    expect(await run("set -e\n(exit 4)\necho never")).toMatchObject({ exitCode: 4, stdout: "" });
    expect(await run("if")).toMatchObject({ ended: "exited", stderr: expect.stringContaining("syntax error") });
    expect((await run("if")).exitCode).not.toBe(0);
  });

  it.each(["TERM", "KILL", "SEGV"])("run() tells that SIG%s ended the script", async (signal) => {
    const result = await run(`kill -${signal} $$; sleep 9`);
    expect(result).toMatchObject({ ended: "signalled", exitCode: null, signal: `SIG${signal}` });
  });

  if (tellsSignals) {
    it("run() does not take exit code 137 for a signal", async () => {
      expect(await run("exit 137")).toMatchObject({ ended: "exited", exitCode: 137 });
    });
  }

  it("run() keeps stdout and stderr apart", async () => {
    expect(await run("echo out; echo err >&2; printf tail")).toMatchObject({ stdout: "out\ntail", stderr: "err\n" });
  });

  it("run() runs bash, whatever the login shell is, in the C locale and with the system's folders in PATH", async () => {
    const result = await run(`[[ x == [x] ]] && a=(1 2) && echo "\${#a[@]} $LC_ALL"; echo ":$PATH:"`);
    expect(result.stdout).toMatch(/^2 C\n.*:\/usr\/sbin:/s);
  });

  it("run() measures how long the script took", async () => {
    expect((await run("sleep 0.3")).durationMs).toBeGreaterThanOrEqual(300);
  });
}

const NASTY = `it's "quoted" \`id\` $(id) \${HOME} \\n
second line\ttab\r café € 漢字 🚀 *?[a] ~ # ! & ; | < >`;

function describeInput(run: Run): void {
  it("run() goes on after a command in the middle has read stdin to its end", async () => {
    const result = await run("echo one\ncat\nread line\ncat - | wc -c\necho two");
    expect(result.stdout).toBe("one\n0\ntwo\n");
  });

  it("run() passes values of any text as environment variables", async () => {
    const result = await run(`printf "%s|" "$NASTY" "$EMPTY" "\${EMPTY+set}" "$BLANKS"`, {
      env: { NASTY, EMPTY: "", BLANKS: "  a  b \n\n" },
    });
    expect(result.stdout).toBe(`${NASTY}||set|  a  b \n\n|`);
    expect((await run("env", { env: { NASTY: "exported" } })).stdout).toContain("NASTY=exported\n");
  });

  it("run() passes every byte a variable can hold", async () => {
    const bytes = Array.from({ length: 127 }, (_, index) => String.fromCharCode(index + 1)).join("");
    expect((await run('printf %s "$BYTES"', { env: { BYTES: bytes } })).stdout).toBe(bytes);
  });

  it("run() takes a script of a megabyte", async () => {
    const result = await run(`${"# a comment that fills the script up\n".repeat(30_000)}echo end`);
    expect(result).toMatchObject({ exitCode: 0, stdout: "end\n" });
  });

  it("run() gives the script text as it is, with here-documents and quotes", async () => {
    const result = await run(`cat <<'EOF'\n$HOME 'x' "y" \\z\nEOF\necho 'é'`);
    expect(result.stdout).toBe(`$HOME 'x' "y" \\z\né\n`);
  });

  it("run() shows a secret to the script, and to nobody in the process list or in the result", async () => {
    const secret = new Secret("hf_0123456789abcdefghijklmnopqrstuvwx");
    const result = await run(
      `echo "\${#TOKEN}"
       for f in /proc/[0-9]*/cmdline; do
         text=$(tr '\\0' ' ' <"$f" 2>/dev/null)
         [[ $text != *"$TOKEN"* ]] || echo "seen in $f"
       done 2>/dev/null
       exit 1`,
      { env: { TOKEN: secret } },
    );
    expect(result).toMatchObject({ exitCode: 1, stdout: "37\n" });
    expect(JSON.stringify(result)).not.toContain("hf_0123");
  });

  it.each([
    { why: "a variable name that is none", env: { "A B": "x" } },
    { why: "a NUL byte", env: { A: "x\0y" } },
    { why: "a value longer than Linux takes", env: { A: "x".repeat(200_000) } },
  ])("run() refuses $why before it asks the host", async ({ env }) => {
    await expect(run("true", { env })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  });
}

function describeOutput(run: Run): void {
  it("run() gives back 200 000 euro signs intact", async () => {
    const { stdout } = await run('for i in {1..2000}; do printf "%s" "$MANY"; done', {
      env: { MANY: "€".repeat(100) },
    });
    expect(stdout === "€".repeat(200_000)).toBe(true);
  });

  it("run() gives back 5 MB of output intact", async () => {
    const { stdout } = await run("yes 0123456789abcde | head -c 5000000");
    expect(stdout === "0123456789abcde\n".repeat(312_500)).toBe(true);
  });

  it("run() keeps the start and the end of endless output and says so in between", async () => {
    const { stdout } = await run("echo first; yes 0123456789abcde | head -c 20000000; echo last");
    expect(stdout.length).toBeLessThan(8.5 * 1024 * 1024);
    expect(stdout).toMatch(/^first\n/);
    expect(stdout).toMatch(/\[\d+ characters left out\]/);
    expect(stdout).toMatch(/last\n$/);
  });

  it("run() calls onLine for each line in order, and for a last line without newline", async () => {
    const lines: string[] = [];
    await run("echo one; sleep 0.2; echo err >&2; sleep 0.2; printf 'tw'; sleep 0.2; printf 'o\\r\\n\\nend'", {
      onLine: (line, stream) => lines.push(`${stream} ${line}`),
    });
    expect(lines).toEqual(["stdout one", "stderr err", "stdout two", "stdout ", "stdout end"]);
  });

  it("run() calls onLine while the script runs", async () => {
    const stop = new AbortController();
    const result = await run("echo ready; sleep 60", { onLine: () => stop.abort(), signal: stop.signal });
    expect(result).toMatchObject({ ended: "cancelled", stdout: "ready\n" });
  });

  it("run() runs twenty scripts at once, each with its own answer", async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => String(index));
    const results = await Promise.all(numbers.map((N) => run('sleep 0.2; echo "$N"; exit "$N"', { env: { N } })));
    expect(results.map(({ stdout, exitCode }) => `${stdout.trim()}=${exitCode}`)).toEqual(
      numbers.map((number) => `${number}=${number}`),
    );
  });
}

function describeSudo(run: Run, { sudo }: ShellTraits): void {
  if (sudo === "untested") return;
  if (sudo === "refused") {
    it.each(["kill", "finish"] as const)("run() says that sudo is not allowed (%s)", async (onDisconnect) => {
      const error = await run("id -u", { name: "install packages", sudo: true, onDisconnect }).catch(
        (e: AppError) => e,
      );
      expect(error).toMatchObject({
        code: "HOST_NO_SUDO",
        message: expect.stringMatching(/^Cannot become root on host ".+" to install packages: .*sudo/s),
        hint: expect.stringContaining("NOPASSWD"),
      });
    });
    return;
  }
  it.each(["kill", "finish"] as const)(
    "run() runs as root with sudo, environment and all (%s)",
    async (onDisconnect) => {
      const result = await run('id -u; echo "$NASTY"; cat; exit 5', { sudo: true, onDisconnect, env: { NASTY } });
      expect(result).toMatchObject({ ended: "exited", exitCode: 5, stdout: `0\n${NASTY}\n` });
    },
  );

  it("run() ends what it runs as root", async () => {
    const result = await run("echo $$; trap '' TERM; sleep 60 & echo $!; wait; sleep 61", {
      sudo: true,
      timeoutMs: 500,
    });
    expect(result.ended).toBe("timed-out");
    await expectGone(result.stdout.trim().split("\n"));
  });
}

/** A script with a child, a grandchild in a group of its own, and a child that ignores TERM. All sleep. */
const FAMILY = `
  echo $$
  timeout 60 bash -c 'echo $$; sleep 58; true' &
  (trap '' TERM; echo $BASHPID; while :; do sleep 57; done) &
  sleep 56 &
  echo $!
  while :; do sleep 55; done`;

function describeStopping(run: Run, path: (file: string) => string): void {
  it("run() ends the script and all it has started when the time is up", async () => {
    const result = await run(FAMILY, { timeoutMs: 3_000 });
    expect(result).toMatchObject({ ended: "timed-out", exitCode: null });
    const pids = result.stdout.trim().split("\n");
    expect(pids).toHaveLength(4);
    await expectGone(pids);
  });

  it("run() ends the script within two seconds when it is cancelled", async () => {
    const stop = new AbortController();
    const pids: string[] = [];
    const running = run("echo $$; sleep 60 & echo $!; wait", {
      signal: stop.signal,
      onLine: (line) => {
        if (pids.push(line) === 2) stop.abort();
      },
    });
    expect(await running).toMatchObject({ ended: "cancelled", exitCode: null });
    await expectGone(pids, 2_000);
  });

  it("run() does not start a script that is cancelled already", async () => {
    const result = await run(`touch ${path("cancelled")}`, { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ ended: "cancelled", stdout: "" });
    expect(existsSync(path("cancelled"))).toBe(false);
  });

  it("run() lets a script tidy up when it is ended", async () => {
    await run(`trap 'echo tidied >${path("tidied")}; exit' TERM; echo $$; sleep 60 & wait`, { timeoutMs: 500 });
    await expectText(path("tidied"), "tidied\n");
  });

  it.each(["cancelled", "timed-out"] as const)("run() leaves a script alone that must finish (%s)", async (ended) => {
    const stop = new AbortController();
    const file = path(`finished-${ended}`);
    const running = run(`echo begun; for i in {1..15}; do sleep 0.3; echo $i || exit; done; echo done >${file}`, {
      onDisconnect: "finish",
      ...(ended === "cancelled" ? { signal: stop.signal, onLine: () => stop.abort() } : { timeoutMs: 3_000 }),
    });
    expect((await running).ended).toBe(ended);
    expect(existsSync(file)).toBe(false);
    await expectText(file, "done\n");
  });
}

function describeBackground(run: Run): void {
  it.each(["kill", "finish"] as const)(
    "run() leaves nothing behind when the script has ended (%s)",
    async (onDisconnect) => {
      const { stdout } = await run("read -r _ _ _ _ _ session _ </proc/$$/stat; echo $session", { onDisconnect });
      expect(stdout).toMatch(/^\d+\n$/);
      await eventually(() => expect(processesThat((session) => session === stdout.trim())).toEqual([]));
    },
  );

  it.each(["kill", "finish"] as const)("run() lets a script use jobs and wait (%s)", async (onDisconnect) => {
    const result = await run("sleep 0.2 & sleep 0.1 & wait; jobs; echo waited $?", { onDisconnect });
    expect(result).toMatchObject({ exitCode: 0, stdout: "waited 0\n" });
  });

  it.each(["kill", "finish"] as const)(
    "run() returns although a child of the script goes on and holds its output open (%s)",
    async (onDisconnect) => {
      const result = await run("sleep 30 & echo $!; exit 6", { onDisconnect });
      const pid = Number(result.stdout);
      expect(result).toMatchObject({ ended: "exited", exitCode: 6 });
      expect(isAlive(String(pid))).toBe(true);
      process.kill(pid, "SIGKILL");
    },
  );

  it("run() gives the whole output of a script that must finish", async () => {
    const result = await run("head -c 300000 /dev/zero | tr '\\0' x; echo err >&2; exit 3", { onDisconnect: "finish" });
    expect(result).toMatchObject({ ended: "exited", exitCode: 3, stderr: "err\n" });
    expect(result.stdout).toHaveLength(300_000);
  });
}

function describeConnection(open: () => Promise<ShellUnderTest>, path: (file: string) => string): void {
  it("reconnect() gives a shell that works", async () => {
    const { shell, close } = await open();
    await shell.reconnect();
    expect(await runOn(shell, "echo back", {})).toMatchObject({ stdout: "back\n" });
    await shell.reconnect();
    expect(await runOn(shell, "echo again", {})).toMatchObject({ stdout: "again\n" });
    await close();
  });

  it("run() says that the connection broke, ends the script on the host, and works again afterwards", async () => {
    const { shell, loseConnection, close } = await open();
    if (loseConnection === undefined) return close();
    const pids: string[] = [];
    const result = await runOn(shell, FAMILY, {
      onLine: (line) => {
        if (pids.push(line) === 4) loseConnection();
      },
    });
    expect(result).toMatchObject({ ended: "connection-lost", exitCode: null });
    await expectGone(pids);
    expect(await runOn(shell, "echo back", {})).toMatchObject({ ended: "exited", stdout: "back\n" });
    await close();
  });

  it("run() lets a script finish on the host after the connection broke", async () => {
    const { shell, loseConnection, close } = await open();
    if (loseConnection === undefined) return close();
    const file = path("finished-alone");
    const text = `echo begun; for i in {1..5}; do sleep 0.2; echo line $i || exit; echo err >&2 || exit; done; echo $? >${file}`;
    const result = await runOn(shell, text, { onDisconnect: "finish", onLine: () => loseConnection() });
    expect(result).toMatchObject({ ended: "connection-lost", exitCode: null });
    await expectText(file, "0\n");
    await close();
  });
}

/** Waits until none of the processes runs; fails after `patienceMs`. */
async function expectGone(pids: readonly string[], patienceMs = 8_000): Promise<void> {
  expect(pids.every((pid) => /^\d+$/.test(pid))).toBe(true);
  await eventually(() => expect(pids.filter(isAlive)).toEqual([]), patienceMs);
}

async function expectText(file: string, text: string): Promise<void> {
  await eventually(() => expect(existsSync(file) && readFileSync(file, "utf8")).toBe(text), 8_000);
}
