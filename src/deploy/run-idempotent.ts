import { expectOk } from "../core/expect-ok.ts";
import type { Script, ScriptResult } from "../core/script.ts";
import type { RunOptions, Shell } from "../ports/shell.ts";

/**
 * Runs a script that may run twice. When the connection breaks under it, makes one new connection and tries again, so
 * that a network hiccup neither ends a long wait nor leaves a server behind. Throws as `expectOk` does.
 */
export async function runIdempotent(shell: Shell, script: Script, options: RunOptions): Promise<ScriptResult> {
  const first = await shell.run(script, options);
  if (first.ended !== "connection-lost") return expectOk(shell.host, script, first);
  await shell.reconnect();
  return expectOk(shell.host, script, await shell.run(script, options));
}
