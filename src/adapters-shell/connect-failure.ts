import type { SshHostSpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import type { HostKey } from "./host-key.ts";

/** Why one attempt to connect failed. */
export interface ConnectFailure {
  readonly error: AppError;
  /** Another attempt may succeed without anyone changing anything. */
  readonly isTransient: boolean;
  /** The host key that was refused, if that was the reason. */
  readonly offered: HostKey | null;
}

/** No connection. `said` is libuv's code and the text of ssh2 or of the ssh client, in which a known cause is looked for. */
export function unreachable(host: SshHostSpec, said: string, cause: unknown): ConnectFailure {
  const known = KNOWN_CAUSES.find(({ text }) => text.test(said));
  const error = new AppError("HOST_UNREACHABLE", {
    message: `Cannot reach host "${host.name}" at ${host.address}:${host.port}: ${known?.what ?? said}`,
    hint: known?.hint ?? CHECK_SSHD,
    cause,
  });
  return { error, isTransient: known?.isTransient ?? false, offered: null };
}

/** The host has refused the login. `accepted` are the methods it would take, empty when it did not say. */
export function loginRefused(
  host: SshHostSpec,
  method: string,
  accepted: readonly string[],
  cause: unknown,
): ConnectFailure {
  const instead = accepted.length > 0 ? `, the host accepts ${accepted.join(", ")}` : "";
  const agent = cause instanceof Error && /agent/i.test(cause.message) ? ` (${cause.message})` : "";
  const error = new AppError("HOST_AUTH_FAILED", {
    message: `Cannot log in to host "${host.name}" as "${host.user}" with ${method}: it was refused${agent}${instead}`,
    hint: `Check the user, and that ~/.ssh/authorized_keys of "${host.user}" on the host has the public key`,
    cause,
  });
  return { error, isTransient: false, offered: null };
}

/** The key that the host offered is not to be trusted. */
export function keyRefused(error: AppError, offered: HostKey | null): ConnectFailure {
  return { error, isTransient: false, offered };
}

const CHECK_NETWORK = "Check the address and that a firewall lets this machine through to the port";
const CHECK_SSHD = "Check that the host is up and that sshd listens on that port";
const CHECK_NAME = "Check the spelling of the address";
const CHECK_LIMITS = "Check that this is an SSH port, and sshd's MaxStartups and its deny rules";

/** Codes are libuv's, texts are those of ssh2 (lib/client.js) and of the ssh client (sshconnect.c, packet.c). */
const KNOWN_CAUSES = [
  { text: /ECONNREFUSED|Connection refused/, what: "connection refused", hint: CHECK_SSHD, isTransient: true },
  { text: /EHOSTUNREACH|No route to host/, what: "no route to the host", hint: CHECK_NETWORK, isTransient: true },
  { text: /ENETUNREACH|is unreachable/, what: "no route to its network", hint: CHECK_NETWORK, isTransient: true },
  {
    text: /EAI_AGAIN|Temporary failure in name/,
    what: "the name server does not answer",
    hint: CHECK_NETWORK,
    isTransient: true,
  },
  {
    text: /ENOTFOUND|Could not resolve hostname/,
    what: "the name does not resolve",
    hint: CHECK_NAME,
    isTransient: false,
  },
  { text: /ETIMEDOUT|[Tt]imed out/, what: "no answer in time", hint: CHECK_NETWORK, isTransient: true },
  {
    text: /lost before handshake|No response from server|Connection closed|kex_exchange_identification/,
    what: "it hung up before the handshake was done",
    hint: CHECK_LIMITS,
    isTransient: true,
  },
  { text: /ECONNRESET|EPIPE|Connection reset/, what: "the connection was reset", hint: CHECK_SSHD, isTransient: true },
];

/** A connection through SSH that did not come about: to whoever wanted it like a socket that was refused. */
export function notForwarded(to: string, why: string): Error {
  return Object.assign(new Error(`no connection to ${to} through SSH: ${why}`), { code: "ECONNREFUSED" });
}
