import ssh2, { type ParsedKey } from "ssh2";
import type { SshHostSpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";

/** The text of a private key as every parser takes it: LF line ends, no blanks around, one newline at the end. */
export function normalPrivateKey(text: string): string {
  return `${text.replace(/\r\n?/g, "\n").trim()}\n`;
}

/** Reads the private key of a host before anything is sent, and says what is wrong with it without showing any of it. */
export function parsePrivateKey(host: SshHostSpec, text: string, passphrase: string | null): ParsedKey {
  const parsed = ssh2.utils.parseKey(text, passphrase ?? undefined);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined) throw unusable(host, whyUnreadable(key, passphrase));
  if (!key.isPrivateKey()) {
    throw unusable(host, ["it is a public key, the private key is wanted", "Give the file without .pub"]);
  }
  return key;
}

/** What is wrong, and what to do. Texts of the cause are ssh2's (lib/protocol/keyParser.js). */
function whyUnreadable(cause: Error | undefined, passphrase: string | null): readonly [string, string] {
  const text = cause?.message ?? "";
  if (/no passphrase given/i.test(text)) {
    return ["it is encrypted and there is no passphrase", "Give the passphrase, or a key without one"];
  }
  if (passphrase !== null && /passphrase|integrity|decrypt|Malformed/i.test(text)) {
    return ["the passphrase does not open it", "Check the passphrase"];
  }
  return [
    "it is no private key that can be read, an OpenSSH or PEM key is wanted",
    "Give the whole file, from -----BEGIN to END----- with its line breaks",
  ];
}

function unusable(host: SshHostSpec, [what, hint]: readonly [string, string]): AppError {
  return new AppError("INPUT_INVALID", { message: `Cannot use the private key of host "${host.name}": ${what}`, hint });
}
