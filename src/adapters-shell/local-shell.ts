import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { LocalHostSpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { type Bootstrap, bootstrapCommand } from "../core/script-frame.ts";
import type { Clock } from "../ports/clock.ts";
import type { Shell } from "../ports/shell.ts";
import { type ProcessEnd, runScript, type ScriptProcess } from "./run-script.ts";

/** Runs scripts on this machine, in a session of their own, as if someone had logged in to it. */
export function openLocalShell(host: LocalHostSpec, clock: Clock): Shell {
  const start = (bootstrap: Bootstrap) =>
    startProcess("/bin/sh", ["-c", bootstrapCommand(bootstrap)], {
      env: loginEnvironment(),
      // The watchdog of the bootstrap has ended the session by then; this is for a machine without /proc.
      onAbandon: bootstrap.onDisconnect === "kill" ? "kill" : "leave",
    });
  return {
    host: host.name,
    run: (script, options) => runScript(host.name, script, options, { start, clock }),
    async reconnect() {},
    async [Symbol.asyncDispose]() {},
  };
}

/** Starts a program of this machine as the leader of a session. `onAbandon` is the fate of one that has not ended. */
export function startProcess(
  file: string,
  argv: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly onAbandon: "kill" | "leave" },
): Promise<ScriptProcess> {
  const child = spawn(file, argv, { detached: true, env: options.env, stdio: ["pipe", "pipe", "pipe"] });
  const process: ScriptProcess = {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exited: new Promise<ProcessEnd>((resolve) => {
      child.once("exit", (exitCode, signal) => {
        resolve(exitCode === null ? { ended: "signalled", signal } : { ended: "exited", exitCode });
      });
    }),
    drained: new Promise((resolve) => child.once("close", resolve)),
    abandon() {
      if (child.exitCode === null && child.signalCode === null && options.onAbandon === "kill") killGroup(child);
      for (const stream of child.stdio) stream?.destroy();
      child.unref();
    },
  };
  return new Promise((resolve, reject) => {
    child.once("spawn", () => resolve(process));
    child.once("error", (cause) => reject(cannotStart(file, cause)));
  });
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended in this very moment, or belongs to root.
  }
}

/**
 * What a login would have. The rest of our environment stays here: on a runner it holds tokens and inputs, and
 * RUNNER_TRACKING_ID, by which the runner kills at the end of a job what must be allowed to finish.
 */
export function loginEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => LOGIN_VARIABLES.test(name)));
}

const LOGIN_VARIABLES =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|(https?|no|all)_proxy)$/i;

function cannotStart(file: string, cause: Error): AppError {
  const isMissing = "errno" in cause && cause.errno === -constants.errno.ENOENT;
  return new AppError("COMMAND_FAILED", {
    message: `Cannot start "${file}" on this machine: ${isMissing ? "it is not installed" : cause.message}`,
    hint: "Install it, or check the PATH of this process",
    cause,
  });
}
