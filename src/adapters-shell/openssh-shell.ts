import { Duplex } from "node:stream";
import type { SshHostSpec } from "../config/run-config.ts";
import { quotePosix } from "../core/quote-posix.ts";
import { type Bootstrap, bootstrapCommand } from "../core/script-frame.ts";
import type { Clock } from "../ports/clock.ts";
import type { Shell } from "../ports/shell.ts";
import { keepConnection } from "./kept-connection.ts";
import { startProcess } from "./local-shell.ts";
import { makeOpensshFolder, type OpensshFolder } from "./openssh-config.ts";
import { connectOpenssh, type OpensshConnection, sshArguments, sshEnvironment } from "./openssh-connect.ts";
import { REPORT_END, withoutEndLine } from "./openssh-end-line.ts";
import { type ProcessEnd, runScript, type ScriptProcess } from "./run-script.ts";
import { releasing, sessionSlots } from "./session-slots.ts";

/**
 * Opens a connection through the ssh client of this machine, which knows ssh_config, ProxyJump, certificates and security
 * keys. Behaves like `openSshShell`, but for this: a script that exits with 128 + n looks like one ended by signal n.
 */
export async function openOpensshShell(host: SshHostSpec, clock: Clock): Promise<Shell> {
  const folder = await makeOpensshFolder(host);
  const connection = keepConnection(host.name, () => connectOpenssh(host, clock, folder));
  try {
    await connection.get();
  } catch (cause) {
    folder.remove();
    throw cause;
  }
  const slots = sessionSlots(MAX_SESSIONS, () => false, connection.renew);
  const start = (bootstrap: Bootstrap, signal: AbortSignal) =>
    slots.open(async (release) => {
      signal.throwIfAborted();
      return releasing(release, await startSession(host, folder, await connection.get(), bootstrap, clock));
    });
  return {
    host: host.name,
    run: (script, options) => runScript(host.name, script, options, { start, clock }),
    reconnect: connection.renew,
    async connectTo(address, port) {
      await connection.get();
      return forward(host, folder, address, port);
    },
    async [Symbol.asyncDispose]() {
      await connection.end();
      folder.remove();
    },
  };
}

/** A client of its own for each connection, through the master: its standard streams are the connection. */
async function forward(host: SshHostSpec, folder: OpensshFolder, address: string, port: number): Promise<Duplex> {
  const target = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  const argv = [...sshArguments(host, folder), "-o", "ControlMaster=no", "-W", target, "--", host.address];
  const client = await startProcess("ssh", argv, { env: sshEnvironment(), onAbandon: "kill" });
  client.stderr.resume();
  const stream = Duplex.from({ readable: client.stdout, writable: client.stdin });
  stream.once("close", client.abandon);
  return stream;
}

/** One less than for ssh2, because the master holds a session of its own. One that sshd refuses connects by itself. */
const MAX_SESSIONS = 7;

async function startSession(
  host: SshHostSpec,
  folder: OpensshFolder,
  connection: OpensshConnection,
  bootstrap: Bootstrap,
  clock: Clock,
): Promise<ScriptProcess> {
  const command = `exec env -u BASH_ENV -u ENV bash --noprofile --norc -c ${quotePosix(REPORT_END)} arc-vllm ${quotePosix(bootstrapCommand(bootstrap))}`;
  const argv = [...sshArguments(host, folder), "-o", "ControlMaster=no", "--", host.address, command];
  const client = await startProcess("ssh", argv, { env: sshEnvironment(), onAbandon: "kill" });
  const { stderr, reported, drained } = withoutEndLine(client.stderr);
  const unreported = Promise.all([client.exited, client.drained, drained]).then(async ([end]): Promise<ProcessEnd> => {
    if (end.ended === "exited" && end.exitCode !== 255) return end;
    // The client may see the connection break a moment before we see its master end.
    await Promise.race([connection.closed, clock.sleep(500)]);
    return connection.isOpen() ? { ended: "signalled", signal: null } : { ended: "connection-lost" };
  });
  return {
    ...client,
    stderr,
    exited: Promise.race([reported, unreported]),
    drained: Promise.all([client.drained, drained]),
  };
}
