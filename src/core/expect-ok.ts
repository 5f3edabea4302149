import { AppError, type ErrorCode } from "./app-error.ts";
import type { Script, ScriptResult } from "./script.ts";

/** Returns the result of a script that had to succeed, or throws an AppError that says how it ended and why. */
export function expectOk(host: string, script: Script, result: ScriptResult): ScriptResult {
  if (result.ended === "exited" && result.exitCode === 0) return result;
  const failure = FAILURE_OF_END[result.ended];
  throw new AppError(failure.code, {
    message: `Cannot ${script.name} on host "${host}": ${describeEnd(result)}`,
    hint: failure.hint,
  });
}

/** How a script ended, in words, with the last lines of its output. */
export function describeEnd(result: ScriptResult): string {
  const tail = lastLines(result.stderr.trim() || result.stdout.trim(), 5);
  const seconds = (result.durationMs / 1000).toFixed(1);
  const how = {
    exited: `exit code ${result.exitCode}`,
    signalled: `ended by ${result.signal}`,
    "timed-out": `not finished after ${seconds} s`,
    cancelled: "cancelled",
    "connection-lost": `the connection broke after ${seconds} s`,
  }[result.ended];
  return tail === "" ? how : `${how}: ${tail}`;
}

const FAILURE_OF_END: Record<ScriptResult["ended"], { code: ErrorCode; hint: string }> = {
  exited: { code: "COMMAND_FAILED", hint: "Read the output above; run the same step by hand on the host" },
  signalled: { code: "COMMAND_FAILED", hint: "Look in the host's journal for what ended the process" },
  "timed-out": { code: "COMMAND_TIMED_OUT", hint: "Raise the time-out, or look for a stuck process on the host" },
  cancelled: { code: "CANCELLED", hint: "Run again when ready; finished work is kept" },
  "connection-lost": {
    code: "HOST_CONNECTION_LOST",
    hint: "Check that the host did not reboot or lose its network, then run again",
  },
};

function lastLines(text: string, count: number): string {
  return text.split("\n").slice(-count).join("\n");
}
