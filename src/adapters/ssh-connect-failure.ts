import { AppError } from "../core/app-error.ts";
import type { SshHostSpec } from "../inputs/run-config.ts";
import type { HostKey } from "./host-key.ts";
import type { LoginSession } from "./ssh-login.ts";

export interface ConnectFailure {
  readonly error: AppError;
  /** Another attempt may succeed without anyone changing anything. */
  readonly isTransient: boolean;
  /** The host key that was refused, if that was the reason. */
  readonly offered: HostKey | null;
}

/** Turns what ssh2 or the socket threw into an error a user can act on. */
export function explainConnectFailure(host: SshHostSpec, login: LoginSession, cause: unknown): ConnectFailure {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const { code, level } = error as { code?: unknown; level?: unknown };
  const isAuth = level === "client-authentication" || level === "agent" || /authentication fail/i.test(error.message);
  if (login.wasRefused() || isAuth) {
    return permanent(authFailed(host, login, error));
  }
  const known = KNOWN_CAUSES.find((one) => one.codes.includes(String(code)) || one.text?.test(error.message));
  const unreachable = new AppError("HOST_UNREACHABLE", {
    message: `Cannot reach host "${host.name}" at ${host.address}:${host.port}: ${known?.what ?? error.message}`,
    hint: known?.hint ?? "Check that the host is up and that sshd listens on that port",
    cause: error,
  });
  return { error: unreachable, isTransient: known?.isTransient ?? false, offered: null };
}

export function notAnSshKey(host: SshHostSpec): AppError {
  return new AppError("HOST_UNREACHABLE", {
    message: `Cannot reach host "${host.name}" at ${host.address}:${host.port}: what it offered is no SSH host key`,
    hint: "Check that sshd listens on that port",
  });
}

function authFailed(host: SshHostSpec, login: LoginSession, cause: Error): AppError {
  const accepted = login.accepted();
  const instead = accepted.length > 0 ? `, the host accepts ${accepted.join(", ")}` : "";
  const agent = /agent/i.test(cause.message) ? ` (${cause.message})` : "";
  return new AppError("HOST_AUTH_FAILED", {
    message: `Cannot log in to host "${host.name}" as "${host.user}" with ${login.method}: it was refused${agent}${instead}`,
    hint: `Check the user, and that ~/.ssh/authorized_keys of "${host.user}" on the host has the public key`,
    cause,
  });
}

function permanent(error: AppError): ConnectFailure {
  return { error, isTransient: false, offered: null };
}

interface KnownCause {
  readonly codes: readonly string[];
  readonly text?: RegExp;
  readonly what: string;
  readonly hint: string;
  readonly isTransient: boolean;
}

const CHECK_NETWORK = "Check the address and that a firewall lets this machine through to the port";
const CHECK_SSHD = "Check that the host is up and that sshd listens on that port";

/** Texts are ssh2's (lib/client.js), codes are libuv's. */
const KNOWN_CAUSES: readonly KnownCause[] = [
  { codes: ["ECONNREFUSED"], what: "connection refused", hint: CHECK_SSHD, isTransient: true },
  { codes: ["ECONNRESET", "EPIPE"], what: "the connection was reset", hint: CHECK_SSHD, isTransient: true },
  { codes: ["EHOSTUNREACH"], what: "no route to the host", hint: CHECK_NETWORK, isTransient: true },
  { codes: ["ENETUNREACH"], what: "no route to its network", hint: CHECK_NETWORK, isTransient: true },
  { codes: ["EAI_AGAIN"], what: "the name server does not answer", hint: CHECK_NETWORK, isTransient: true },
  {
    codes: ["ENOTFOUND"],
    what: "the name does not resolve",
    hint: "Check the spelling of the address",
    isTransient: false,
  },
  {
    codes: [],
    text: /lost before handshake|No response from server/,
    what: "it hung up before the handshake was done",
    hint: "Check that this is an SSH port, and sshd's MaxStartups and its deny rules",
    isTransient: true,
  },
  {
    codes: ["ETIMEDOUT"],
    text: /Timed out while waiting/,
    what: "no answer in time",
    hint: CHECK_NETWORK,
    isTransient: true,
  },
];
