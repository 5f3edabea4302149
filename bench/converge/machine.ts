import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release } from "node:os";
import { join } from "node:path";

/** What a reader must know to judge the figures: machine, its load before the first pass, versions. */
export function machineLines(venv: string): string[] {
  const os = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "unknown";
  const load = LOAD_AT_START.map((value) => value.toFixed(1)).join(" ");
  return [
    `- machine: ${availableParallelism()} cores (${cpus()[0]?.model.trim()}), shared by client and hosts; ${os}, kernel ${release()}`,
    `- load average over 1, 5, 15 minutes before the first pass: ${load}`,
    `- versions: node ${process.version}, ${openssh()}, ${peers(venv)}`,
  ];
}

const LOAD_AT_START = loadavg();

function openssh(): string {
  return spawnSync("ssh", ["-V"], { encoding: "utf8" }).stderr.trim().split(",")[0] ?? "OpenSSH";
}

function peers(venv: string): string {
  const list = execFileSync(join(venv, "bin/pip"), ["list", "--format=freeze"], { encoding: "utf8" });
  return list
    .split("\n")
    .filter((line) => /^(ansible-core|pyinfra)==/.test(line))
    .map((line) => line.replace("==", " "))
    .concat(execFileSync(join(venv, "bin/python"), ["--version"], { encoding: "utf8" }).trim())
    .join(", ");
}
