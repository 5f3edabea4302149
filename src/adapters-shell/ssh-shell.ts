import type { ClientChannel } from "ssh2";
import type { SshHostSpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { type Bootstrap, bootstrapCommand } from "../core/script-frame.ts";
import type { Clock } from "../ports/clock.ts";
import type { Shell } from "../ports/shell.ts";
import { notForwarded } from "./connect-failure.ts";
import { type KeptConnection, keepConnection } from "./kept-connection.ts";
import { type ProcessEnd, runScript, type ScriptProcess } from "./run-script.ts";
import { releasing, sessionSlots } from "./session-slots.ts";
import { connectSsh, SSH_TUNING, type SshConnection } from "./ssh-connect.ts";

/**
 * Opens an SSH connection that carries any number of scripts at once. When it breaks, running scripts end with
 * "connection-lost" and the next `run` connects anew. Throws what `connectSsh` throws.
 */
export async function openSshShell(host: SshHostSpec, clock: Clock, tuning = SSH_TUNING): Promise<Shell> {
  const connection = keepConnection(host.name, () => connectSsh(host, clock, tuning));
  await connection.get();
  // sshd counts a session until its command has ended, also one that we have let go of to finish by itself.
  const slots = sessionSlots(MAX_SESSIONS, isRefusedSession, connection.renew);

  const start = (bootstrap: Bootstrap, signal: AbortSignal) =>
    slots.open(async (release) => {
      signal.throwIfAborted();
      return releasing(release, await openSession(host, connection, bootstrapCommand(bootstrap)));
    });
  return {
    host: host.name,
    run: (script, options) => runScript(host.name, script, options, { start, clock }),
    reconnect: connection.renew,
    connectTo: async (address, port) => forward(await connection.get(), address, port),
    [Symbol.asyncDispose]: connection.end,
  };
}

/** sshd refuses it when nothing listens there, and when AllowTcpForwarding is off. */
function forward({ client }: SshConnection, address: string, port: number): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.forwardOut("127.0.0.1", 0, address, port, (error, channel) => {
      if (error === undefined) resolve(channel);
      else reject(notForwarded(`${address}:${port}`, isForbidden(error) ? NOT_ALLOWED : error.message));
    });
  });
}

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254 §5.1). */
function isForbidden(error: Error): boolean {
  return "reason" in error && error.reason === 1;
}

const NOT_ALLOWED = "its sshd does not allow that (AllowTcpForwarding, or the options of the key in authorized_keys)";

/** Below sshd's MaxSessions of 10, so that a person can still join the connection. */
const MAX_SESSIONS = 8;

/** Starts a command; when the connection turns out to be dead, once more on a new one: nothing has run yet. */
async function openSession(
  host: SshHostSpec,
  connection: KeptConnection<SshConnection>,
  command: string,
): Promise<ScriptProcess> {
  const current = await connection.get();
  try {
    return await exec(current, command);
  } catch (cause) {
    if (current.isOpen()) throw noSession(host, cause);
  }
  try {
    return await exec(await connection.get(), command);
  } catch (cause) {
    throw cause instanceof AppError ? cause : noSession(host, cause);
  }
}

function exec({ client }: SshConnection, command: string): Promise<ScriptProcess> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      // Listeners must be there before this callback returns: the exit status may stand in the same packet.
      if (error === undefined) resolve(processOf(channel));
      else reject(error);
    });
  });
}

function processOf(channel: ClientChannel): ScriptProcess {
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    exited: new Promise<ProcessEnd>((resolve) => {
      channel.once("exit", (exitCode: number | null, signal?: string) => resolve(endOf(exitCode, signal)));
      channel.once("close", () => resolve({ ended: "connection-lost" }));
    }),
    // ssh2 emits "close" on both streams once they have been read to their end, also when the connection broke.
    drained: Promise.all([
      new Promise((resolve) => channel.once("close", resolve)),
      new Promise((resolve) => channel.stderr.once("close", resolve)),
    ]),
    abandon: () => channel.close(),
  };
}

function endOf(exitCode: number | null, signal: string | undefined): ProcessEnd {
  if (exitCode !== null) return { ended: "exited", exitCode };
  if (signal === undefined) return { ended: "connection-lost" };
  return { ended: "signalled", signal: signal.startsWith("SIG") ? signal : `SIG${signal}` };
}

/** The text is ssh2's (lib/utils.js). OpenSSH refuses a session over MaxSessions with "open failed". */
function isRefusedSession(cause: unknown): boolean {
  const refusal = cause instanceof AppError ? cause.cause : null;
  return refusal instanceof Error && refusal.message.startsWith("(SSH) Channel open failure");
}

function noSession(host: SshHostSpec, cause: unknown): AppError {
  return new AppError("HOST_UNREACHABLE", {
    message: `Cannot open a session on host "${host.name}": ${cause instanceof Error ? cause.message : String(cause)}`,
    hint: "Check MaxSessions and the restrictions of the key in authorized_keys on the host",
    cause,
  });
}
