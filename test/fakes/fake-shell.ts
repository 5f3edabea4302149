import type { Script, ScriptResult } from "../../src/core/script.ts";
import { Secret } from "../../src/core/secret.ts";
import type { RunOptions, Shell } from "../../src/ports/shell.ts";

/** A script as the fake host saw it, with secrets revealed so that a test can look at them. */
export interface RanScript {
  readonly name: string;
  readonly text: string;
  readonly env: Readonly<Record<string, string>>;
  readonly sudo: boolean;
  readonly options: RunOptions;
}

/** What a script does: only what differs from "exit 0, no output". Throw to play a host that cannot be reached. */
export type FakeHandler = (script: RanScript) => Partial<ScriptResult> | Promise<Partial<ScriptResult>>;

export interface FakeShell extends Shell {
  readonly ran: readonly RanScript[];
  readonly reconnects: number;
  readonly disposed: boolean;
}

/** A host that plays a script book. `exitCode: null` without `ended` is read as a lost connection. */
export function fakeShell(handler: FakeHandler = () => ({}), host = "fake-host"): FakeShell {
  const ran: RanScript[] = [];
  let reconnects = 0;
  let disposed = false;
  return {
    host,
    ran,
    get reconnects() {
      return reconnects;
    },
    get disposed() {
      return disposed;
    },
    async run(script, options) {
      const seen = { name: script.name, text: script.text, env: plain(script), sudo: script.sudo ?? false, options };
      ran.push(seen);
      if (options.signal?.aborted) return complete({ ended: "cancelled" });
      const result = complete(await handler(seen));
      emitLines(result, options);
      return result;
    },
    async reconnect() {
      reconnects += 1;
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
    },
  };
}

function complete(part: Partial<ScriptResult>): ScriptResult {
  const ended = part.ended ?? (part.signal ? "signalled" : part.exitCode === null ? "connection-lost" : "exited");
  const exitCode = ended === "exited" ? (part.exitCode ?? 0) : null;
  return { signal: null, stdout: "", stderr: "", durationMs: 1, ...part, ended, exitCode };
}

function plain(script: Script): Record<string, string> {
  const entries = Object.entries(script.env ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]));
}

function emitLines(result: ScriptResult, options: RunOptions): void {
  for (const stream of ["stdout", "stderr"] as const) {
    for (const line of result[stream].replace(/\n$/, "").split("\n")) {
      if (result[stream] !== "") options.onLine?.(line, stream);
    }
  }
}
