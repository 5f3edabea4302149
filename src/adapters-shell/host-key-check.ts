import type { SshHostSpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { fingerprintOf, type HostKey, isSameKey, knownHostsLine } from "./host-key.ts";
import { findKnownKeys, type KnownHostKeys } from "./known-hosts.ts";

/** Null when the host's trust covers the offered key; else the error to stop with. There is no third way. */
export function checkHostKey(host: SshHostSpec, offered: HostKey): AppError | null {
  if (host.trust.kind === "fingerprints") {
    const isTrusted = host.trust.sha256.map(normalFingerprint).includes(fingerprintOf(offered));
    return isTrusted ? null : mismatch(host, offered, `the trusted fingerprints are ${host.trust.sha256.join(", ")}`);
  }
  const known = findKnownKeys(host.trust.text, host.address, host.port);
  if (known.revoked.some((key) => isSameKey(key, offered))) return revoked(host, offered);
  if (known.keys.some((key) => isSameKey(key, offered))) return null;
  if (known.keys.length === 0) return missing(host, offered, known);
  const trusted = known.keys.map((key) => `${key.type} ${fingerprintOf(key)}`).join(", ");
  return mismatch(host, offered, `known_hosts says ${trusted}`);
}

/**
 * Signature algorithms for the handshake, those of trusted keys first, so that a host with several keys shows one that
 * is known. OpenSSH does the same (sshconnect2.c, order_hostkeyalgs); without it the right host looks wrong.
 */
export function hostKeyAlgorithms(host: SshHostSpec): string[] {
  if (host.trust.kind === "fingerprints") return ALGORITHMS.map(({ algorithm }) => algorithm);
  const known = new Set(findKnownKeys(host.trust.text, host.address, host.port).keys.map((key) => key.type));
  const first = ALGORITHMS.filter(({ keyType }) => known.has(keyType));
  const rest = ALGORITHMS.filter(({ keyType }) => !known.has(keyType));
  return [...first, ...rest].map(({ algorithm }) => algorithm);
}

/** The algorithms that remain when a key type has been offered and is not the trusted one. */
export function withoutKeyType(algorithms: readonly string[], keyType: string): string[] {
  const dropped = new Set(ALGORITHMS.filter((row) => row.keyType === keyType).map(({ algorithm }) => algorithm));
  return algorithms.filter((algorithm) => !dropped.has(algorithm));
}

/** In the order of OpenSSH's default. ssh-rsa as a signature (SHA-1) is left out: OpenSSH 8.8 and later have dropped it. */
const ALGORITHMS = [
  { algorithm: "ssh-ed25519", keyType: "ssh-ed25519" },
  { algorithm: "ecdsa-sha2-nistp256", keyType: "ecdsa-sha2-nistp256" },
  { algorithm: "ecdsa-sha2-nistp384", keyType: "ecdsa-sha2-nistp384" },
  { algorithm: "ecdsa-sha2-nistp521", keyType: "ecdsa-sha2-nistp521" },
  { algorithm: "rsa-sha2-512", keyType: "ssh-rsa" },
  { algorithm: "rsa-sha2-256", keyType: "ssh-rsa" },
];

export function normalFingerprint(text: string): string {
  return `SHA256:${text
    .trim()
    .replace(/^SHA256:/i, "")
    .replace(/=+$/, "")}`;
}

function mismatch(host: SshHostSpec, offered: HostKey, trusted: string): AppError {
  return new AppError("HOST_KEY_MISMATCH", {
    message: `Cannot trust host "${host.name}": it offered ${describe(host, offered)}, but ${trusted}`,
    hint: `Someone may sit between; if the host was reinstalled, ${compare(host, offered)}`,
  });
}

function missing(host: SshHostSpec, offered: HostKey, known: KnownHostKeys): AppError {
  const why = known.hasAuthority ? AUTHORITY_ONLY[host.transport ?? "ssh2"] : "known_hosts has no line for it";
  const unreadable =
    known.unreadableLines.length > 0 ? ` (unreadable: line ${known.unreadableLines.slice(0, 5).join(", ")})` : "";
  return new AppError("HOST_KEY_MISSING", {
    message: `Cannot trust host "${host.name}": ${why}${unreadable}; it offered ${describe(host, offered)}`,
    hint: known.hasAuthority
      ? `Let the authority sign the host's key and use the transport openssh, or ${compare(host, offered)}`
      : capitalised(compare(host, offered)),
  });
}

const AUTHORITY_ONLY = {
  ssh2: "known_hosts has only a @cert-authority line for it, which the transport ssh2 cannot use",
  openssh: "known_hosts has only a @cert-authority line for it, and no certificate of that authority came",
};

function revoked(host: SshHostSpec, offered: HostKey): AppError {
  return new AppError("HOST_KEY_MISMATCH", {
    message: `Cannot trust host "${host.name}": it offered ${describe(host, offered)}, which known_hosts marks @revoked`,
    hint: "Treat the host as compromised until its keys are replaced",
  });
}

function describe(host: SshHostSpec, offered: HostKey): string {
  return `${offered.type} ${fingerprintOf(offered)} at ${host.address}:${host.port}`;
}

function compare(host: SshHostSpec, offered: HostKey): string {
  const line = knownHostsLine(host.address, host.port, offered);
  return `compare the fingerprint at the host's console (ssh-keygen -lf /etc/ssh/${keyFileOf(offered)}) and then use this known_hosts line: ${line}`;
}

function keyFileOf(key: HostKey): string {
  const family = /ed25519|ecdsa|rsa/.exec(key.type)?.[0] ?? "*";
  return `ssh_host_${family}_key.pub`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
