import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "yaml";
import type { LabHost } from "./lab-host.ts";

const root = resolve(import.meta.dirname, "../..");

/** The command line of arc-vllm as a process of its own, which can be killed. */
export interface ArcVllm {
  readonly process: ChildProcess;
  /** Resolves when it has ended, with everything it printed. */
  readonly ended: Promise<{ exitCode: number | null; output: string }>;
}

/** Starts `arc-vllm COMMAND` from the sources, with a configuration that names the lab host and holds `sections`. */
export async function startArcVllm(
  host: LabHost,
  command: string,
  sections: object,
  onLine: (line: string) => void = () => {},
): Promise<ArcVllm> {
  const { name, address, port, user, login, trust } = host.spec;
  if (login.kind !== "private-key" || trust.kind !== "fingerprints") throw new Error("A lab host has a key of its own");
  const config = join(dirname(host.consolePath), "arc-vllm.yml");
  const hosts = [{ name, address, port, user, "host-key": trust.sha256 }];
  await writeFile(config, stringify({ version: 1, hosts, ...sections }));

  const argv = ["--import", "tsx", join(root, "src/main/cli.ts"), command, "--config", config];
  const env = { ...process.env, ARC_VLLM_SSH_PRIVATE_KEY: login.key.reveal() };
  const child = spawn(process.execPath, argv, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      output += `${line}\n`;
      onLine(line);
    });
  }
  const ended = once(child, "close").then(([exitCode]) => ({ exitCode: exitCode as number | null, output }));
  return { process: child, ended };
}
