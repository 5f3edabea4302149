import type { Secret } from "./secret.ts";

/**
 * A bash script to run on a host. The text is fixed in our code or in a playbook; values reach it as
 * environment variables, never by interpolation, and text and values travel over stdin, never in argv.
 */
export interface Script {
  /** What the script does, in a few words: used in messages and logs instead of the text. */
  readonly name: string;
  readonly text: string;
  readonly env?: Readonly<Record<string, string | Secret>>;
  /** Run as root through `sudo -n` (or directly when the login is root already). */
  readonly sudo?: boolean;
}

/** How a script ended. Only "exited" has an exit code; everything else is a failure. */
export type ScriptEnd = "exited" | "signalled" | "timed-out" | "cancelled" | "connection-lost";

export interface ScriptResult {
  readonly ended: ScriptEnd;
  /** Null when the script did not exit by itself. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}
