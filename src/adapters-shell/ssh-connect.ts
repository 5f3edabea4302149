import { connect as connectSocket, type Socket } from "node:net";
import { NodeSSH } from "node-ssh";
import type { Client, ConnectConfig } from "ssh2";
import type { SshHostSpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import type { Clock } from "../ports/clock.ts";
import { connectWithRetries, RETRY_DELAYS_MS } from "./connect-attempts.ts";
import { type ConnectFailure, keyRefused, loginRefused, unreachable } from "./connect-failure.ts";
import { hostKeyOf } from "./host-key.ts";
import { checkHostKey, hostKeyAlgorithms } from "./host-key-check.ts";
import type { Connection } from "./kept-connection.ts";
import { type LoginSession, prepareLogin, type SshLogin } from "./ssh-login.ts";

export interface SshTuning {
  /** Silence after which the host is asked whether it is still there; after `keepaliveCount` such questions it is lost. */
  readonly keepaliveMs: number;
  readonly keepaliveCount: number;
  readonly retryDelaysMs: readonly number[];
}

export const SSH_TUNING: SshTuning = { keepaliveMs: 15_000, keepaliveCount: 3, retryDelaysMs: RETRY_DELAYS_MS };

export interface SshConnection extends Connection {
  readonly client: Client;
}

/**
 * Connects and logs in. Throws HOST_UNREACHABLE, HOST_KEY_MISSING, HOST_KEY_MISMATCH, HOST_AUTH_FAILED, or INPUT_INVALID
 * for a private key that cannot be read. Only a connection that was refused, reset or silent is tried again.
 */
export async function connectSsh(host: SshHostSpec, clock: Clock, tuning = SSH_TUNING): Promise<SshConnection> {
  const login = prepareLogin(host);
  return connectWithRetries(host, clock, tuning.retryDelaysMs, (algorithms) =>
    connectOnce(host, login, tuning, algorithms ?? hostKeyAlgorithms(host)),
  );
}

async function connectOnce(
  host: SshHostSpec,
  login: SshLogin,
  tuning: SshTuning,
  algorithms: readonly string[],
): Promise<{ connection: SshConnection } | ConnectFailure> {
  const session = login.newSession();
  const keyCheck = watchHostKey(host);
  const socket = connectSocket({ host: host.address, port: host.port, noDelay: true });
  const ssh = new NodeSSH();
  const connecting = ssh.connect({
    ...session.config,
    sock: socket,
    username: host.user,
    readyTimeout: host.connectTimeoutMs,
    keepaliveInterval: tuning.keepaliveMs,
    keepaliveCountMax: tuning.keepaliveCount,
    algorithms: { serverHostKey: algorithms } as NonNullable<ConnectConfig["algorithms"]>,
    hostVerifier: keyCheck.verify,
  });
  const client = ssh.connection;
  if (client === null) throw new Error("node-ssh has no connection after connect()");
  // node-ssh takes its own listener away once connected; without this one a later reset would end our process.
  client.on("error", () => {});
  try {
    await connecting;
    return { connection: connectionOf(client, socket) };
  } catch (cause) {
    socket.destroy();
    return keyCheck.refusal() ?? explain(host, session, cause);
  }
}

/** Looks at the host's key in the middle of the handshake, and remembers why it was refused. */
function watchHostKey(host: SshHostSpec) {
  let refusal: ConnectFailure | null = null;
  return {
    verify(blob: Buffer): boolean {
      const offered = hostKeyOf(blob);
      const error = offered === null ? notAnSshKey(host) : checkHostKey(host, offered);
      refusal = error === null ? null : keyRefused(error, offered);
      return refusal === null;
    },
    refusal: () => refusal,
  };
}

function connectionOf(client: Client, socket: Socket): SshConnection {
  let open = !socket.destroyed;
  const closed = new Promise<void>((resolve) => {
    client.once("end", () => {
      open = false;
    });
    client.once("close", () => {
      open = false;
      resolve();
    });
  });
  return {
    client,
    isOpen: () => open && !socket.destroyed,
    async close() {
      open = false;
      client.end();
      // A peer that is gone never answers our FIN.
      const patience = setTimeout(() => socket.destroy(), 1_000);
      await closed;
      clearTimeout(patience);
    },
  };
}

/** Turns what ssh2 or the socket threw into an error a user can act on. Levels and texts are ssh2's (lib/client.js). */
function explain(host: SshHostSpec, login: LoginSession, cause: unknown): ConnectFailure {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const { code, level } = error as { code?: unknown; level?: unknown };
  const isAuth = level === "client-authentication" || level === "agent" || /authentication fail/i.test(error.message);
  if (isAuth || login.wasRefused()) return loginRefused(host, login.method, login.accepted(), error);
  return unreachable(host, [code, error.message].filter(Boolean).join(" "), error);
}

function notAnSshKey(host: SshHostSpec): AppError {
  return new AppError("HOST_UNREACHABLE", {
    message: `Cannot reach host "${host.name}" at ${host.address}:${host.port}: what it offered is no SSH host key`,
    hint: "Check that sshd listens on that port",
  });
}
