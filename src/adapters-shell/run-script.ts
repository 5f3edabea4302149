import type { Readable, Writable } from "node:stream";
import { AppError } from "../core/app-error.ts";
import type { Script, ScriptEnd, ScriptResult } from "../core/script.ts";
import { type Bootstrap, frameScript, HEARTBEAT_MS, KILL_GRACE_MS } from "../core/script-frame.ts";
import { Secret } from "../core/secret.ts";
import type { Clock } from "../ports/clock.ts";
import type { RunOptions } from "../ports/shell.ts";
import { collectOutput, type ScriptOutput } from "./script-output.ts";

/** A bootstrap command that runs somewhere: over SSH, through the ssh client, or on this machine. */
export interface ScriptProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves once, and never rejects: how the process ended, or that nobody can tell. */
  readonly exited: Promise<ProcessEnd>;
  /** Resolves once, after `exited`, when all output has been read. */
  readonly drained: Promise<unknown>;
  /** Lets go of the process on our side, whatever it does; by then "kill" has had its time to end it. */
  abandon(): void;
}

export type ProcessEnd =
  | { readonly ended: "exited"; readonly exitCode: number }
  | { readonly ended: "signalled"; readonly signal: string | null }
  | { readonly ended: "connection-lost" };

/** Starts a bootstrap. Rejects with an AppError when the host cannot be reached. */
export type StartProcess = (bootstrap: Bootstrap, signal: AbortSignal) => Promise<ScriptProcess>;

/**
 * Runs one script through whatever starts processes on the host, by the rules of `Shell.run`. Throws HOST_NO_SUDO when
 * sudo refuses and COMMAND_FAILED when the login shell cannot start bash: then the script has not begun.
 */
export async function runScript(
  host: string,
  script: Script,
  options: RunOptions,
  world: { readonly start: StartProcess; readonly clock: Clock },
): Promise<ScriptResult> {
  const { clock } = world;
  const startedMs = clock.nowMs();
  const bootstrap = { sudo: script.sudo ?? false, onDisconnect: options.onDisconnect ?? "kill" };
  const frame = frameScript(script.text, revealed(script.env ?? {}));
  const stdout = collectOutput((line) => options.onLine?.(line, "stdout"));
  const stderr = collectOutput((line) => options.onLine?.(line, "stderr"));
  const over = new AbortController();
  try {
    const end = await follow({ bootstrap, frame, stdout, stderr, options, over: over.signal, ...world });
    stdout.finish();
    stderr.finish();
    const started = stdout.hasStarted() || stderr.hasStarted();
    if (end.ended === "exited" && !started) throw neverStarted(host, script, end.exitCode, noiseOf(stderr, stdout));
    return {
      ended: end.ended,
      exitCode: "exitCode" in end ? end.exitCode : null,
      signal: "signal" in end ? end.signal : null,
      stdout: stdout.text(),
      stderr: stderr.text(),
      durationMs: clock.nowMs() - startedMs,
    };
  } finally {
    over.abort();
  }
}

interface Run {
  readonly bootstrap: Bootstrap;
  readonly frame: Uint8Array;
  readonly stdout: ScriptOutput;
  readonly stderr: ScriptOutput;
  readonly options: RunOptions;
  /** Aborts when the run is over, to end timers. */
  readonly over: AbortSignal;
  readonly start: StartProcess;
  readonly clock: Clock;
}

type RunEnd = ProcessEnd | { readonly ended: Extract<ScriptEnd, "timed-out" | "cancelled"> };

/** A child of the script that outlives it may hold its output open; then we stop reading after this time. */
const LINGER_MS = 2_000;
/** How much longer than the host's own TERM and KILL we wait for an end that we asked for. */
const PATIENCE_MS = 1_500;

async function follow(run: Run): Promise<RunEnd> {
  if (run.options.signal?.aborted) return { ended: "cancelled" };
  const cancelled = whenAborted(run.options.signal, run.over);
  const starting = run.start(run.bootstrap, run.options.signal ?? run.over);
  const process = await Promise.race([starting, cancelled]);
  if ("ended" in process) {
    starting.then((late) => late.abandon()).catch(() => {});
    return process;
  }
  read(process.stdout, run.stdout);
  read(process.stderr, run.stderr);
  // A write to a broken pipe or connection is told by `exited`.
  process.stdin.on("error", () => {});
  process.stdin.write(run.frame);
  if (run.bootstrap.onDisconnect === "kill") void sendHeartbeats(process.stdin, run);
  else process.stdin.end();

  const timedOut = run.clock.sleep(run.options.timeoutMs, run.over).then(() => ({ ended: "timed-out" as const }));
  const end = await Promise.race([process.exited, timedOut, cancelled]);
  if (end.ended === "timed-out" || end.ended === "cancelled") await stop(process, run);
  else await Promise.race([process.drained, run.clock.sleep(LINGER_MS, run.over)]);
  process.abandon();
  return end;
}

/** With "kill", the end of stdin makes the host end the script; with "finish" there is nothing to do and to wait for. */
async function stop(process: ScriptProcess, run: Run): Promise<void> {
  if (run.bootstrap.onDisconnect === "finish") return;
  process.stdin.end();
  await Promise.race([process.drained, run.clock.sleep(KILL_GRACE_MS + PATIENCE_MS, run.over)]);
}

async function sendHeartbeats(stdin: Writable, { clock, over }: Run): Promise<void> {
  for (;;) {
    await clock.sleep(HEARTBEAT_MS, over);
    if (over.aborted || !stdin.writable) return;
    stdin.write("\n");
  }
}

function read(stream: Readable, output: ScriptOutput): void {
  stream.on("data", (chunk: Buffer) => output.push(chunk));
  stream.on("error", () => {});
}

function whenAborted(signal: AbortSignal | undefined, over: AbortSignal): Promise<{ readonly ended: "cancelled" }> {
  return new Promise((resolve) => {
    signal?.addEventListener("abort", () => resolve({ ended: "cancelled" }), { once: true, signal: over });
  });
}

function revealed(env: Readonly<Record<string, string | Secret>>): Record<string, string> {
  const entries = Object.entries(env);
  return Object.fromEntries(entries.map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]));
}

function noiseOf(...outputs: readonly ScriptOutput[]): string {
  const lines = outputs.flatMap((output) => output.noise().trim().split("\n"));
  return lines
    .filter((line) => line !== "")
    .slice(-3)
    .join("; ");
}

function neverStarted(host: string, script: Script, exitCode: number, noise: string): AppError {
  const said = noise === "" ? "" : `: ${noise}`;
  if (script.sudo && /\bsudo\b/.test(noise)) {
    return new AppError("HOST_NO_SUDO", {
      message: `Cannot become root on host "${host}" to ${script.name}: sudo without a password is not allowed${said}`,
      hint: "Allow it for the login user with NOPASSWD in /etc/sudoers.d, or log in as root",
    });
  }
  return new AppError("COMMAND_FAILED", {
    message: `Cannot ${script.name} on host "${host}": its login shell ended with exit code ${exitCode} before the script began${said}`,
    hint: "Check that the user has a login shell and that bash is installed on the host",
  });
}
