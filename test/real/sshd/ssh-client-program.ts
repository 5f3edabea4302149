import { readFileSync } from "node:fs";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { openShell } from "../../../src/adapters-shell/open-shell.ts";
import type { HostSpec } from "../../../src/config/run-config.ts";
import { Secret } from "../../../src/core/secret.ts";

/** What a test gives this program, as JSON in a file: a host, the path of its private key, and a script. */
export interface ClientTask {
  readonly host: HostSpec;
  readonly keyPath: string;
  readonly text: string;
  readonly onDisconnect: "kill" | "finish";
}

/** Runs one script on one host and prints its lines, as a program of its own that a test can kill. */
async function main(taskPath: string): Promise<void> {
  const task = JSON.parse(readFileSync(taskPath, "utf8")) as ClientTask;
  const login = { kind: "private-key", key: new Secret(readFileSync(task.keyPath, "utf8")), passphrase: null } as const;
  const host = task.host.connection === "ssh" ? { ...task.host, login } : task.host;
  const shell = await openShell(host, systemClock);
  const result = await shell.run(
    { name: "run a test", text: task.text },
    { timeoutMs: 60_000, onDisconnect: task.onDisconnect, onLine: (line) => process.stdout.write(`${line}\n`) },
  );
  await shell[Symbol.asyncDispose]();
  process.stdout.write(`${result.ended} ${result.exitCode}\n`);
}

void main(process.argv[2] ?? "");
