import { connect as connectSocket, type Socket } from "node:net";
import { NodeSSH } from "node-ssh";
import type { Client, ConnectConfig } from "ssh2";
import type { AppError } from "../core/app-error.ts";
import type { SshHostSpec } from "../inputs/run-config.ts";
import type { Clock } from "../ports/clock.ts";
import { type HostKey, hostKeyOf } from "./host-key.ts";
import { checkHostKey, hostKeyAlgorithms, withoutKeyType } from "./host-key-check.ts";
import { type ConnectFailure, explainConnectFailure, notAnSshKey } from "./ssh-connect-failure.ts";
import { prepareLogin, type SshLogin } from "./ssh-login.ts";

export interface SshTuning {
  /** Silence after which the host is asked whether it is still there; after `keepaliveCount` such questions it is lost. */
  readonly keepaliveMs: number;
  readonly keepaliveCount: number;
  /** Waits before a further attempt to connect, when the first was refused, reset or timed out. */
  readonly retryDelaysMs: readonly number[];
}

export const SSH_TUNING: SshTuning = { keepaliveMs: 15_000, keepaliveCount: 3, retryDelaysMs: [250, 1_000, 2_000] };

export interface SshConnection {
  readonly client: Client;
  isOpen(): boolean;
  /** Hangs up. Commands that still run get no more answer. */
  close(): Promise<void>;
}

/**
 * Connects and logs in. Throws HOST_UNREACHABLE, HOST_KEY_MISSING, HOST_KEY_MISMATCH, HOST_AUTH_FAILED, or INPUT_INVALID
 * for a private key that cannot be read. Only a connection that was refused, reset or silent is tried again.
 */
export async function connectSsh(host: SshHostSpec, clock: Clock, tuning = SSH_TUNING): Promise<SshConnection> {
  const login = prepareLogin(host);
  for (let attempt = 0; ; attempt += 1) {
    const result = await tryKeyTypes(host, login, tuning);
    if ("client" in result) return result;
    const delayMs = tuning.retryDelaysMs[attempt];
    if (!result.isTransient || delayMs === undefined) throw result.error;
    await clock.sleep(delayMs);
  }
}

/**
 * A fingerprint does not say which type of key it is of, and a handshake shows one key only. So when the shown key is
 * not a trusted one, the host is asked for its other types before it is called wrong.
 */
async function tryKeyTypes(
  host: SshHostSpec,
  login: SshLogin,
  tuning: SshTuning,
): Promise<SshConnection | ConnectFailure> {
  let algorithms = hostKeyAlgorithms(host);
  let first: ConnectFailure | null = null;
  for (;;) {
    const result = await connectOnce(host, login, tuning, algorithms);
    if ("client" in result) return result;
    first ??= result;
    if (host.trust.kind !== "fingerprints" || result.offered === null) return first;
    algorithms = withoutKeyType(algorithms, result.offered.type);
    if (algorithms.length === 0) return first;
  }
}

async function connectOnce(
  host: SshHostSpec,
  login: SshLogin,
  tuning: SshTuning,
  algorithms: readonly string[],
): Promise<SshConnection | ConnectFailure> {
  let refusal: { readonly error: AppError; readonly offered: HostKey | null } | null = null;
  const session = login.newSession();
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
    hostVerifier: (blob: Buffer) => {
      const offered = hostKeyOf(blob);
      const error = offered === null ? notAnSshKey(host) : checkHostKey(host, offered);
      refusal = error === null ? null : { error, offered };
      return error === null;
    },
  });
  const client = ssh.connection;
  if (client === null) throw new Error("node-ssh has no connection after connect()");
  // node-ssh takes its own listener away once connected; without this one a later reset would end our process.
  client.on("error", () => {});
  try {
    await connecting;
    return connection(client, socket);
  } catch (cause) {
    socket.destroy();
    if (refusal !== null) return { ...(refusal as ConnectFailure), isTransient: false };
    return explainConnectFailure(host, session, cause);
  }
}

function connection(client: Client, socket: Socket): SshConnection {
  let open = !socket.destroyed;
  const closed = new Promise<void>((resolve) => {
    client.once("close", () => {
      open = false;
      resolve();
    });
    client.once("end", () => {
      open = false;
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
