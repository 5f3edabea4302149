import { type ChildProcess, spawn } from "node:child_process";
import type { SshHostSpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import type { Clock } from "../ports/clock.ts";
import { connectWithRetries, RETRY_DELAYS_MS } from "./connect-attempts.ts";
import { type ConnectFailure, keyRefused, loginRefused, unreachable } from "./connect-failure.ts";
import { fingerprintOf } from "./host-key.ts";
import { checkHostKey } from "./host-key-check.ts";
import type { Connection } from "./kept-connection.ts";
import { loginEnvironment } from "./local-shell.ts";
import type { OpensshFolder } from "./openssh-config.ts";

export interface OpensshConnection extends Connection {
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
}

/** Starts the master connection that all commands share. Throws what `connectSsh` throws. */
export function connectOpenssh(host: SshHostSpec, clock: Clock, folder: OpensshFolder): Promise<OpensshConnection> {
  return connectWithRetries(host, clock, RETRY_DELAYS_MS, (algorithms) => connectOnce(host, clock, folder, algorithms));
}

/** What every call of the ssh client has in common: a replay by hand needs no more than this and a command. */
export function sshArguments(host: SshHostSpec, folder: OpensshFolder): string[] {
  return ["-F", folder.configPath, "-S", folder.controlPath, "-T", "-l", host.user, "-p", String(host.port)];
}

export function sshEnvironment(): NodeJS.ProcessEnv {
  const agent = process.env["SSH_AUTH_SOCK"];
  return { ...loginEnvironment(), LC_ALL: "C", ...(agent === undefined ? {} : { SSH_AUTH_SOCK: agent }) };
}

/**
 * The master runs a command of its own, and not `ssh -N`: its first line proves that the host let us in, and it ends with
 * our end of its stdin, so that no connection stays behind when this process is killed.
 */
const READY_LINE = "[arc-vllm connection ready]";
const MASTER_COMMAND = `exec sh -c 'echo "${READY_LINE}"; exec cat >/dev/null'`;

async function connectOnce(
  host: SshHostSpec,
  clock: Clock,
  folder: OpensshFolder,
  algorithms: readonly string[] | null,
): Promise<{ connection: OpensshConnection } | ConnectFailure> {
  const order = algorithms === null ? [] : ["-o", `HostKeyAlgorithms=${algorithms.join(",")}`];
  const argv = [...sshArguments(host, folder), ...order, "-M", "-o", "ControlPersist=no", "--", host.address];
  const master = spawn("ssh", [...argv, MASTER_COMMAND], { detached: true, env: sshEnvironment() });
  const output = listen(master);
  const patience = new AbortController();
  const timedOut = clock.sleep(host.connectTimeoutMs, patience.signal).then(() => "timed-out" as const);
  const outcome = await Promise.race([output.ready, output.ended, timedOut]);
  patience.abort();
  if (outcome === "ready") return { connection: connectionOf(master, output.closed) };
  master.kill("SIGKILL");
  if (outcome === "timed-out") return unreachable(host, "timed out", null);
  return explain(host, folder, output.said(), outcome);
}

function listen(master: ChildProcess) {
  let stdout = "";
  let stderr = "";
  const ready = new Promise<"ready">((resolve) => {
    master.stdout?.on("data", (chunk) => {
      stdout = `${stdout}${chunk}`.slice(-4096);
      if (stdout.includes(READY_LINE)) resolve("ready");
    });
  });
  master.stderr?.on("data", (chunk) => {
    stderr = `${stderr}${chunk}`.slice(-4096);
  });
  master.stdin?.on("error", () => {});
  const closed = new Promise<Error | null>((resolve) => {
    master.once("close", () => resolve(null));
    master.once("error", resolve);
  });
  return {
    ready,
    ended: closed.then((error) => error ?? ("ended" as const)),
    closed: closed.then(() => {}),
    said: () => `${stderr.trim()}\n${stdout.trim()}`.trim(),
  };
}

function connectionOf(master: ChildProcess, closed: Promise<void>): OpensshConnection {
  let open = true;
  void closed.then(() => {
    open = false;
  });
  return {
    closed,
    isOpen: () => open,
    async close() {
      open = false;
      master.kill("SIGTERM");
      await closed;
    },
  };
}

/** Turns the ssh client's own words (sshconnect.c, sshconnect2.c) into an error a user can act on. */
function explain(host: SshHostSpec, folder: OpensshFolder, said: string, outcome: Error | "ended"): ConnectFailure {
  if (outcome instanceof Error) return { error: noClient(host, outcome), isTransient: false, offered: null };
  const cause = new Error(said);
  const denied = /Permission denied \(([^)]*)\)|Too many authentication failures/.exec(said);
  if (denied !== null) return loginRefused(host, METHODS[host.login.kind], denied[1]?.split(",") ?? [], cause);
  if (/Host key verification failed|host key is known|REVOKED HOST KEY/.test(said))
    return untrusted(host, folder, cause);
  if (/[Bb]ad configuration option|Bad owner or permissions|terminating, \d+ bad/.test(said)) {
    return { error: badConfig(host, said), isTransient: false, offered: null };
  }
  return unreachable(host, said.split("\n").at(-1) ?? "", cause);
}

const METHODS = {
  "private-key": "the given private key",
  agent: "the keys of the agent",
  "ssh-config": "what the ssh_config says",
} as const;

/** Names the key with the words of the other transport; a jump host is checked under its own name. */
function untrusted(host: SshHostSpec, folder: OpensshFolder, cause: Error): ConnectFailure {
  const offered = folder.offered();
  if (offered === null) return unreachable(host, cause.message, cause);
  const [, bracketed, port] = /^\[(.*)\]:(\d+)$/.exec(offered.name) ?? [];
  const asked = { ...host, address: bracketed ?? offered.name, port: Number(port ?? 22) };
  const error = checkHostKey(asked, offered.key) ?? keyOf(host, offered.name, fingerprintOf(offered.key));
  return keyRefused(error, offered.key);
}

function keyOf(host: SshHostSpec, name: string, fingerprint: string): AppError {
  return new AppError("HOST_KEY_MISMATCH", {
    message: `Cannot trust host "${host.name}": the ssh client refused the key ${fingerprint} of "${name}"`,
    hint: "Run the ssh client by hand with -v to see why",
  });
}

function badConfig(host: SshHostSpec, said: string): AppError {
  return new AppError("INPUT_INVALID", {
    message: `Cannot use ssh_config "${host.sshConfigPath ?? ""}" of host "${host.name}": ${said.split("\n")[0]}`,
    hint: "Correct the file; `ssh -G -F FILE HOST` shows how ssh reads it",
  });
}

function noClient(host: SshHostSpec, cause: Error): AppError {
  return new AppError("HOST_UNREACHABLE", {
    message: `Cannot reach host "${host.name}": the ssh client cannot be started on this machine`,
    hint: "Install openssh-client here, or use the transport ssh2",
    cause,
  });
}
