import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface SshdHost {
  readonly name: string;
  readonly port: number;
  /** SHA-256 fingerprint of its host key. */
  readonly fingerprint: string;
  readonly knownHostsLine: string;
  /** Sessions (commands, sftp) and connections since it was started, from its own log. */
  counts(): { readonly sessions: number; readonly connections: number };
  /** Ends every connection that a tool has left open, so that the next run starts cold. */
  dropConnections(): void;
  stop(): void;
}

const FIRST_PORT = 22_010;

/**
 * Starts `count` sshds on loopback for root, each with a host key, a log and a HOME of its own. They share one file
 * system, so they share what the twenty steps look at. Needs root and openssh-server.
 */
export async function startSshdHosts(count: number, folder: string): Promise<readonly SshdHost[]> {
  mkdirSync("/run/sshd", { recursive: true });
  makeKey(join(folder, "user_key"));
  return Promise.all(Array.from({ length: count }, (_, index) => startOne(index, folder)));
}

async function startOne(index: number, parent: string): Promise<SshdHost> {
  const name = `host-${index + 1}`;
  const port = FIRST_PORT + index;
  const folder = join(parent, name);
  mkdirSync(join(folder, "home"), { recursive: true });
  makeKey(join(folder, "host_key"));
  const log = join(folder, "log");
  writeFileSync(log, "");
  writeFileSync(join(folder, "sshd_config"), configText(port, parent, folder));
  // It must not outlive this process, which cannot clean up while it waits for a tool.
  const sshd = ["/usr/sbin/sshd", "-D", "-E", log, "-f", join(folder, "sshd_config")];
  const daemon = spawn("setpriv", ["--pdeathsig", "TERM", ...sshd], { stdio: "ignore" });
  const read = () => readFileSync(log, "utf8");
  while (!read().includes("Server listening")) {
    if (daemon.exitCode !== null) throw new Error(`sshd on port ${port} ended: ${read()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const publicKey = readFileSync(join(folder, "host_key.pub"), "utf8").split(" ").slice(0, 2).join(" ").trim();
  return {
    name,
    port,
    fingerprint: execFileSync("ssh-keygen", ["-lf", join(folder, "host_key.pub")], { encoding: "utf8" }).split(" ")[1]!,
    knownHostsLine: `[127.0.0.1]:${port} ${publicKey}`,
    counts: () => ({
      sessions: read().split("Starting session:").length - 1,
      connections: read().split("Accepted publickey").length - 1,
    }),
    dropConnections: () => {
      for (const pid of childrenOf(daemon.pid!)) process.kill(pid, "SIGTERM");
    },
    stop: () => daemon.kill(),
  };
}

function configText(port: number, parent: string, folder: string): string {
  return [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${folder}/host_key`,
    `AuthorizedKeysFile ${parent}/user_key.pub`,
    `PidFile ${folder}/pid`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin yes",
    "PermitUserRC no",
    "PrintMotd no",
    "PrintLastLog no",
    "MaxSessions 50",
    "MaxStartups 200",
    "Subsystem sftp internal-sftp",
    // A home without rc files: what a user's .bashrc costs is not the tools' fault.
    `SetEnv HOME=${folder}/home`,
    // Logs every session.
    "LogLevel VERBOSE",
    "",
  ].join("\n");
}

function makeKey(path: string): void {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return children.trim().split(/\s+/).filter(Boolean).map(Number);
}
