import { createHmac, timingSafeEqual } from "node:crypto";
import { type HostKey, hostKeyOf, knownHostsName } from "./host-key.ts";

/** What a known_hosts text says about one host. */
export interface KnownHostKeys {
  readonly keys: readonly HostKey[];
  readonly revoked: readonly HostKey[];
  /** There is a @cert-authority line for the host: only the OpenSSH client can use it. */
  readonly hasAuthority: boolean;
  /** Numbers of the lines that are no known_hosts lines, whatever host they were meant for. */
  readonly unreadableLines: readonly number[];
}

/**
 * Looks a host up in a known_hosts text, by the rules of sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT": hashed names, wildcards,
 * negation, [host]:port, markers. A host on another port than 22 is found under its plain name too when there is no
 * line for its port, as OpenSSH does it (sshconnect.c, check_host_key).
 */
export function findKnownKeys(text: string, address: string, port: number): KnownHostKeys {
  const lines = text.split(/\r\n|\n|\r/).map((line, index) => parseLine(line, index + 1));
  const entries = lines.filter((line) => typeof line === "object" && line !== null);
  const named = entries.filter((entry) => isListed(entry.names, knownHostsName(address, port)));
  const matching = named.length > 0 ? named : entries.filter((entry) => isListed(entry.names, address));
  return {
    keys: matching.filter(({ marker }) => marker === null).map(({ key }) => key),
    revoked: matching.filter(({ marker }) => marker === "@revoked").map(({ key }) => key),
    hasAuthority: matching.some(({ marker }) => marker === "@cert-authority"),
    unreadableLines: lines.filter((line) => typeof line === "number"),
  };
}

interface KnownHostsEntry {
  readonly marker: "@revoked" | "@cert-authority" | null;
  readonly names: string;
  readonly key: HostKey;
}

/** Null for a blank line or a comment, the line's number when it cannot be read. */
function parseLine(line: string, number: number): KnownHostsEntry | number | null {
  const words = line.trim().split(/[ \t]+/);
  if (words[0] === "" || words[0]?.startsWith("#")) return null;
  const marker = words[0] === "@revoked" || words[0] === "@cert-authority" ? words[0] : null;
  const [names, type, base64] = marker === null ? words : words.slice(1);
  const key = hostKeyOf(Buffer.from(base64 ?? "", "base64"));
  return names !== undefined && key !== null && key.type === type ? { marker, names, key } : number;
}

function isListed(names: string, wanted: string): boolean {
  const host = wanted.toLowerCase();
  if (names.startsWith("|")) return isHashOf(names, host);
  const patterns = names.toLowerCase().split(",");
  const isNegated = patterns.some((pattern) => pattern.startsWith("!") && isMatch(pattern.slice(1), host));
  return !isNegated && patterns.some((pattern) => isMatch(pattern, host));
}

/** `|1|salt|hash`, both in base64: HMAC-SHA1 of the name under the salt. */
function isHashOf(hashed: string, host: string): boolean {
  const [, version, salt, hash] = hashed.split("|");
  if (version !== "1" || salt === undefined || hash === undefined) return false;
  const wanted = Buffer.from(hash, "base64");
  const actual = createHmac("sha1", Buffer.from(salt, "base64")).update(host).digest();
  return wanted.length === actual.length && timingSafeEqual(wanted, actual);
}

function isMatch(pattern: string, host: string): boolean {
  const source = pattern.replace(/[.*+?^${}()|[\]\\]/g, (character) =>
    character === "*" ? ".*" : character === "?" ? "." : `\\${character}`,
  );
  return new RegExp(`^${source}$`, "s").test(host);
}
