import type { AuthHandlerMiddleware, ConnectConfig } from "ssh2";
import type { SshHostSpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { fingerprintOf, hostKeyOf } from "./host-key.ts";
import { normalPrivateKey, parsePrivateKey } from "./private-key.ts";

export interface SshLogin {
  /** One attempt to log in; it remembers what the host accepts. */
  newSession(): LoginSession;
}

export interface LoginSession {
  readonly config: Pick<ConnectConfig, "privateKey" | "passphrase" | "agent" | "authHandler"> & { privateKey?: string };
  /** What we log in with, in words, never the key itself. */
  readonly method: string;
  /** True once the host has refused it. */
  wasRefused(): boolean;
  /** What the host would accept instead, as it said; empty when it did not say. */
  accepted(): readonly string[];
}

/** Reads the key once. Throws INPUT_INVALID when it cannot be used. */
export function prepareLogin(host: SshHostSpec): SshLogin {
  const { login } = host;
  if (login.kind === "agent") {
    const method = `the keys of the agent at ${login.socket}`;
    return { newSession: () => session(method, "agent", { agent: login.socket }) };
  }
  if (login.kind === "ssh-config") throw needsOpenssh(host);
  const privateKey = normalPrivateKey(login.key.reveal());
  const passphrase = login.passphrase?.reveal() ?? null;
  const key = hostKeyOf(parsePrivateKey(host, privateKey, passphrase).getPublicSSH());
  const method = key === null ? "the private key" : `key ${key.type} ${fingerprintOf(key)}`;
  const config = passphrase === null ? { privateKey } : { privateKey, passphrase };
  return { newSession: () => session(method, "publickey", config) };
}

function needsOpenssh(host: SshHostSpec): AppError {
  return new AppError("INPUT_INVALID", {
    message: `Cannot log in to host "${host.name}" by an ssh_config: its transport is ssh2, which reads none`,
    hint: "Give a private key or an agent, or use the transport openssh",
  });
}

function session(
  method: string,
  type: "agent" | "publickey",
  config: Omit<LoginSession["config"], "authHandler">,
): LoginSession {
  let isTried = false;
  let refused = false;
  let accepted: readonly string[] = [];
  // One method only: trying others would use up the host's MaxAuthTries and say nothing more.
  const authHandler: AuthHandlerMiddleware = (methodsLeft) => {
    accepted = methodsLeft ?? accepted;
    refused = isTried;
    if (isTried) return false;
    isTried = true;
    return type;
  };
  return {
    config: { ...config, authHandler } as LoginSession["config"],
    method,
    wasRefused: () => refused,
    accepted: () => accepted,
  };
}
