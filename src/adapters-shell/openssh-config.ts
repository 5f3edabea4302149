import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { SshHostSpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { type HostKey, hostKeyOf } from "./host-key.ts";
import { normalFingerprint } from "./host-key-check.ts";
import { serveAgent } from "./openssh-agent.ts";
import { normalPrivateKey, parsePrivateKey } from "./private-key.ts";

/** What the ssh client needs on disk for one host. No secret is among it. */
export interface OpensshFolder {
  readonly configPath: string;
  readonly controlPath: string;
  /** The last host key that was offered and to which name, of the host or of a jump host; null when none was. */
  offered(): { readonly name: string; readonly key: HostKey } | null;
  remove(): void;
}

/** Makes the folder. Throws INPUT_INVALID for a key or an ssh_config file that cannot be read. */
export async function makeOpensshFolder(host: SshHostSpec): Promise<OpensshFolder> {
  const key = privateKeyOf(host);
  const userConfig = userConfigOf(host);
  // Not the system's temporary folder: a control path may have 104 bytes, and that of a runner is long.
  const path = mkdtempSync("/tmp/arc-ssh-");
  chmodSync(path, 0o700);
  const file = (name: string) => join(path, name);
  const agent = key === null ? null : await serveAgent(key, file("agent"));
  const { trust } = host;
  writeFileSync(file("known_hosts"), trust.kind === "known-hosts" ? `${trust.text.replace(/\r\n?/g, "\n")}\n` : "");
  writeFileSync(
    file("fingerprints"),
    trust.kind === "fingerprints" ? trust.sha256.map((text) => `${normalFingerprint(text)}\n`).join("") : "",
  );
  writeFileSync(file("offered.sh"), KNOWN_HOSTS_COMMAND);
  writeFileSync(file("config"), configText(host, path, userConfig));
  return {
    configPath: file("config"),
    controlPath: file("control"),
    offered: () => lastOffered(file("offered")),
    remove() {
      agent?.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/**
 * ssh takes the first value it finds, so ours stand first and cannot be weakened by the user's file. They stand in a file
 * and not on the command line, because ProxyJump hands the file on to the jump's own ssh, and nothing else.
 */
function configText(host: SshHostSpec, path: string, userConfig: string | null): string {
  const lines = [
    "Host *",
    "BatchMode yes",
    "StrictHostKeyChecking yes",
    `UserKnownHostsFile ${path}/known_hosts`,
    "GlobalKnownHostsFile none",
    `KnownHostsCommand /bin/sh ${path}/offered.sh %I %H %t %K %f`,
    "UpdateHostKeys no",
    "VerifyHostKeyDNS no",
    `ConnectTimeout ${Math.max(1, Math.ceil(host.connectTimeoutMs / 1000))}`,
    "ServerAliveInterval 15",
    "ServerAliveCountMax 3",
    "ForwardAgent no",
    "ForwardX11 no",
    "PermitLocalCommand no",
    "RemoteCommand none",
    "RequestTTY no",
    "EscapeChar none",
    "LogLevel ERROR",
    ...loginLines(host, path),
    ...(userConfig === null ? [] : [`Include "${userConfig}"`]),
  ];
  return `${lines.join("\n")}\n`;
}

function loginLines({ login, sshConfigPath }: SshHostSpec, path: string): string[] {
  if (login.kind === "ssh-config") return [];
  const socket = login.kind === "agent" ? login.socket : `${path}/agent`;
  const noFiles = sshConfigPath === undefined ? ["IdentityFile none"] : [];
  return [`IdentityAgent "${socket}"`, ...noFiles, "PreferredAuthentications publickey"];
}

/** Remembers what was offered, for messages, and answers with the key when its fingerprint is trusted. */
const KNOWN_HOSTS_COMMAND = `# Called by ssh as: use, host, key type, key, fingerprint.
printf '%s %s %s\\n' "$2" "$3" "$4" >>"\${0%/*}/offered"
if grep -qxF -e "$5" "\${0%/*}/fingerprints"; then printf '%s %s %s\\n' "$2" "$3" "$4"; fi
`;

function lastOffered(file: string): { name: string; key: HostKey } | null {
  if (!existsSync(file)) return null;
  for (const line of readFileSync(file, "utf8").trim().split("\n").reverse()) {
    const [name = "", type, base64 = ""] = line.split(" ");
    const key = hostKeyOf(Buffer.from(base64, "base64"));
    if (key !== null && key.type === type) return { name, key };
  }
  return null;
}

function privateKeyOf(host: SshHostSpec) {
  if (host.login.kind !== "private-key") return null;
  const text = normalPrivateKey(host.login.key.reveal());
  return parsePrivateKey(host, text, host.login.passphrase?.reveal() ?? null);
}

/** ssh looks for a relative Include in ~/.ssh, so the path is made absolute here. */
function userConfigOf(host: SshHostSpec): string | null {
  if (host.sshConfigPath === undefined) return null;
  const path = resolve(host.sshConfigPath);
  if (existsSync(path) && !/["\n]/.test(path)) return path;
  throw new AppError("INPUT_INVALID", {
    message: `Cannot use ssh_config "${host.sshConfigPath}" of host "${host.name}": there is no such file`,
    hint: "Check the path; it is relative to the working directory",
  });
}
