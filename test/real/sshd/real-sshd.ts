import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import type { SshHostSpec } from "../../../src/config/run-config.ts";
import { Secret } from "../../../src/core/secret.ts";

export interface RealSshd {
  /** How to reach it as the user it was started for. */
  readonly spec: SshHostSpec;
  /** Folder for what belongs to it; removed with it. */
  readonly folder: string;
  /** The public host key: "type base64". */
  readonly hostKey: string;
  readonly userKeyPath: string;
  /** The public key of the authority, with `certificates`. */
  readonly authority: string;
  /** Kills the processes that serve open connections, without a word to the client. */
  cutConnections(): void;
  close(): Promise<void>;
}

export interface SshdOptions {
  /** A user of this machine, or one made for the test and removed afterwards. */
  readonly user?: string;
  /** More lines for sshd_config. */
  readonly config?: string;
  /** Sign host and user key with an authority that the daemon trusts for users. */
  readonly certificates?: boolean;
}

/** Starts Debian's sshd on loopback with keys and configuration of its own. Needs root and openssh-server. */
export async function startRealSshd(options: SshdOptions = {}): Promise<RealSshd> {
  const { user = userInfo().username, config = "", certificates = false } = options;
  const folder = mkdtempSync(join(tmpdir(), "arc-vllm-sshd-"));
  chmodSync(folder, 0o755);
  const key = (name: string) => {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", join(folder, name)]);
    return join(folder, name);
  };
  const userKeyPath = key("user_key");
  key("host_key");
  writeFileSync(join(folder, "authorized_keys"), readFileSync(`${userKeyPath}.pub`));
  chmodSync(join(folder, "authorized_keys"), 0o644);
  const signed = certificates ? certify(key("authority"), folder, user) : [];
  const port = await freePort();
  const lines = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(folder, "host_key")}`,
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    `PidFile ${join(folder, "pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin yes",
    "PermitUserRC no",
    "PrintMotd no",
    "PrintLastLog no",
    "LogLevel VERBOSE",
    ...signed,
    config,
  ];
  writeFileSync(join(folder, "sshd_config"), lines.join("\n"));
  // Privilege separation wants this folder, which a container without a booted system lacks.
  mkdirSync("/run/sshd", { recursive: true });
  const sshd = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", join(folder, "sshd_config")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  await listening(sshd);
  const hostKey = publicKey(join(folder, "host_key.pub"));
  return {
    spec: {
      connection: "ssh",
      name: "loopback",
      address: "127.0.0.1",
      port,
      user,
      trust: { kind: "known-hosts", text: `[127.0.0.1]:${port} ${hostKey}` },
      login: { kind: "private-key", key: new Secret(readFileSync(userKeyPath, "utf8")), passphrase: null },
      connectTimeoutMs: 10_000,
    },
    folder,
    hostKey,
    userKeyPath,
    authority: certificates ? publicKey(join(folder, "authority.pub")) : "",
    cutConnections: () => killAll(childrenOf(sshd)),
    async close() {
      killAll(childrenOf(sshd));
      sshd.kill();
      await new Promise((resolve) => sshd.once("exit", resolve));
      rmSync(folder, { recursive: true });
    },
  };
}

/** Makes a host and a user certificate; gives the lines for sshd_config. */
function certify(authority: string, folder: string, user: string): string[] {
  const sign = (...argv: string[]) => execFileSync("ssh-keygen", ["-q", "-s", authority, "-I", "test", ...argv]);
  sign("-h", "-n", "127.0.0.1", join(folder, "host_key.pub"));
  sign("-n", user, join(folder, "user_key.pub"));
  return [`HostCertificate ${join(folder, "host_key-cert.pub")}`, `TrustedUserCAKeys ${authority}.pub`];
}

function publicKey(path: string): string {
  return readFileSync(path, "utf8").split(" ").slice(0, 2).join(" ").trim();
}

/** A user without password, with /bin/sh and a home; `sudoers` are rules for sudo. Undone by `remove`. */
export function makeUser(name: string, sudoers: string | null): { remove(): void } {
  execFileSync("useradd", ["--create-home", "--shell", "/bin/sh", "--password", "*", name]);
  const rule = `/etc/sudoers.d/${name}`;
  if (sudoers !== null) {
    writeFileSync(rule, `${sudoers}\n`, { mode: 0o440 });
    chownSync(rule, 0, 0);
  }
  return {
    remove() {
      rmSync(rule, { force: true });
      execFileSync("userdel", ["--force", "--remove", name], { stdio: "ignore" });
    },
  };
}

async function listening(sshd: ChildProcess): Promise<void> {
  let log = "";
  await new Promise<void>((resolve, reject) => {
    sshd.stderr?.on("data", (chunk) => {
      log = (log + chunk).slice(-10_000);
      if (log.includes("Server listening")) resolve();
    });
    sshd.once("exit", () => reject(new Error(`sshd ended: ${log}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function childrenOf(parent: ChildProcess): number[] {
  const result = execFileSync("sh", ["-c", 'ps -o pid= --ppid "$1" || true', "sh", String(parent.pid)], {
    encoding: "utf8",
  });
  return result.trim().split(/\s+/).filter(Boolean).map(Number);
}

/** Each connection has a privileged process and, for other users than root, one that serves it; both must go. */
function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    const served = execFileSync("sh", ["-c", 'ps -o pid=,comm= --ppid "$1" || true', "sh", String(pid)], {
      encoding: "utf8",
    });
    const own = [...served.matchAll(/(\d+) sshd/g)].map((match) => Number(match[1]));
    for (const one of [...own, pid]) {
      try {
        process.kill(one, "SIGKILL");
      } catch {
        // It went away by itself.
      }
    }
  }
}
