import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The newest releases that run on Python 3.11, pinned so that two tables can be compared. */
const PEERS = ["ansible-core==2.19.14", "pyinfra==3.10.0"];

/** Installs Ansible and pyinfra from PyPI into a virtual environment, unless they are there; gives its folder. */
export function installPeers(folder: string): string {
  const venv = join(folder, "venv");
  if (existsSync(join(venv, "bin/pyinfra"))) return venv;
  execFileSync("python3", ["-m", "venv", venv], { stdio: "inherit" });
  execFileSync(join(venv, "bin/pip"), ["install", "--quiet", ...PEERS], { stdio: "inherit" });
  return venv;
}
