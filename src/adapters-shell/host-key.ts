import { createHash } from "node:crypto";

/** A public key of a host as it travels on the wire. */
export interface HostKey {
  /** "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa", …: what stands first in the blob. */
  readonly type: string;
  readonly blob: Buffer;
}

/** Reads the key type from the first string of a key blob (RFC 4253 section 6.6); null when it is no key blob. */
export function hostKeyOf(blob: Buffer): HostKey | null {
  if (blob.length < 5) return null;
  const length = blob.readUInt32BE(0);
  if (length === 0 || length > 64 || blob.length <= 4 + length) return null;
  return { type: blob.toString("latin1", 4, 4 + length), blob };
}

/** What `ssh-keygen -lf` prints: SHA256 in base64 without padding. */
export function fingerprintOf(key: HostKey): string {
  return `SHA256:${createHash("sha256").update(key.blob).digest("base64").replace(/=+$/, "")}`;
}

/** The line for a known_hosts file. Another port than 22 is written the way OpenSSH looks it up. */
export function knownHostsLine(address: string, port: number, key: HostKey): string {
  return `${knownHostsName(address, port)} ${key.type} ${key.blob.toString("base64")}`;
}

export function knownHostsName(address: string, port: number): string {
  return port === 22 ? address : `[${address}]:${port}`;
}

export function isSameKey(one: HostKey, other: HostKey): boolean {
  return one.blob.equals(other.blob);
}
