import { createHash } from "node:crypto";
import { type AddressInfo, createServer, type Socket } from "node:net";
import ssh2, { type AuthContext, type Connection, type PublicKeyAuthContext, type ServerChannel } from "ssh2";
import { parseBootstrapCommand, parseFrame, START_LINE } from "../core/script-frame.ts";
import { groupsOf } from "../sim-commands/account-commands.ts";
import type { CommandResult, Session } from "../sim-machine/stand-in.ts";
import type { VirtualMachine } from "../sim-machine/virtual-machine.ts";
import { runArgv, runScript } from "./bash-session.ts";

export interface SshServer {
  readonly port: number;
  /** Private key that the host accepts, in OpenSSH's format. */
  readonly privateKey: string;
  /** SHA256:… of the host key, as `ssh-keygen -l` prints it. */
  readonly hostKeySha256: string;
  close(): Promise<void>;
}

/**
 * The host's sshd, on loopback. While the host is off, connections are closed before a word is said; when its power
 * goes, they break.
 */
export async function startSshServer(machine: VirtualMachine): Promise<SshServer> {
  const hostKey = newKeyPair();
  const userKey = newKeyPair();
  const accepted = parsedKey(userKey.public);
  const server = new ssh2.Server({ hostKeys: [hostKey.private], ident: "OpenSSH_8.9p1 simulated" }, (connection) =>
    serveConnection(machine, connection, accepted),
  );
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    socket.on("error", ignore);
    if (machine.boot === null) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    const powerOff = () => socket.destroy();
    machine.onPowerOff.add(powerOff);
    socket.once("close", () => {
      sockets.delete(socket);
      machine.onPowerOff.delete(powerOff);
    });
    socket.setNoDelay(true);
    server.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    privateKey: userKey.private,
    hostKeySha256: fingerprint(parsedKey(hostKey.public).getPublicSSH()),
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

type ParsedKey = ReturnType<typeof parsedKey>;

function newKeyPair(): { public: string; private: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519");
    // The generator now and then writes a key that its own parser refuses.
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

function parsedKey(text: string) {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return Array.isArray(key) ? (key[0] as (typeof key)[number]) : key;
}

function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

function serveConnection(machine: VirtualMachine, connection: Connection, accepted: ParsedKey): void {
  connection.on("error", ignore);
  connection.on("authentication", (context) => authenticate(machine, context, accepted));
  connection.on("ready", () => {
    const login = groupsOf(machine, machine.user);
    const gone = new AbortController();
    connection.once("close", () => gone.abort());
    connection.on("session", (accept) => {
      const session = accept();
      session.on("pty", (acceptPty) => acceptPty?.());
      session.on("env", (acceptEnv) => acceptEnv?.());
      session.on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        login.then((groups) => {
          const who = { machine, user: machine.user, uid: 1000, groups };
          runOnChannel({ ...who, signal: gone.signal, live: null, speak: null }, channel, command);
        }, ignore);
      });
    });
  });
}

function authenticate(machine: VirtualMachine, context: AuthContext, accepted: ParsedKey): void {
  const known =
    context.method === "publickey" &&
    context.username === machine.user &&
    context.key.algo === accepted.type &&
    context.key.data.equals(accepted.getPublicSSH());
  // The client asks first whether the key would do, without a signature.
  if (known && (!context.signature || isSigned(context, accepted))) context.accept();
  else context.reject(["publickey"]);
}

function isSigned({ blob, signature, hashAlgo }: PublicKeyAuthContext, key: ParsedKey): boolean {
  return blob !== undefined && signature !== undefined && key.verify(blob, signature, hashAlgo) === true;
}

/** Runs a framed script or a plain command line, and closes the channel with its exit code. */
function runOnChannel(session: Session, channel: ServerChannel, command: string): void {
  channel.on("error", ignore);
  const bootstrap = parseBootstrapCommand(command);
  const ending = new AbortController();
  const signal = AbortSignal.any([session.signal, ending.signal]);
  if (bootstrap === null) {
    channel.resume();
    channel.once("close", () => ending.abort());
    runScript({ ...session, signal }, command).then((result) => finish(channel, result), ignore);
    return;
  }
  readFrame(channel, bootstrap.onDisconnect === "kill" ? () => ending.abort() : ignore, (body) => {
    // A script that must finish goes on when the connection is lost, but not when the power is.
    const power = powerSignal(session.machine);
    const lasting = bootstrap.onDisconnect === "finish" ? power.signal : signal;
    runFramed({ ...session, signal: lasting }, channel, bootstrap.sudo, body)
      .catch(ignore)
      .finally(power.forget);
  });
}

async function runFramed(session: Session, channel: ServerChannel, sudo: boolean, body: string): Promise<void> {
  if (sudo && (await runArgv(session, ["sudo", "-n", "true"])).exitCode !== 0) {
    finish(channel, { stdout: "", stderr: "sudo: a password is required\n", exitCode: 1 });
    return;
  }
  channel.write(`${START_LINE}\n`);
  channel.stderr.write(`${START_LINE}\n`);
  const speaking: Session = { ...session, speak: (line) => channel.write(`${line}\n`) };
  const as: Session = sudo ? { ...speaking, user: "root", uid: 0, groups: ["root"] } : speaking;
  finish(channel, await runScript(as, body, sudo ? { env: { SUDO_USER: session.user } } : {}));
}

/** Collects stdin until the frame is whole; tells when stdin ends, before or after. */
function readFrame(channel: ServerChannel, onEnd: () => void, onBody: (body: string) => void): void {
  let buffered = Buffer.alloc(0);
  let started = false;
  channel.on("data", (chunk: Buffer) => {
    if (started) return;
    buffered = Buffer.concat([buffered, chunk]);
    const frame = parseFrame(buffered);
    if (frame === null) return;
    started = true;
    onBody(frame.body);
  });
  for (const event of ["end", "close"]) channel.once(event, onEnd);
}

/** Aborts when the host loses its power. `forget` lets go of it. */
function powerSignal(machine: VirtualMachine): { readonly signal: AbortSignal; readonly forget: () => void } {
  const off = new AbortController();
  const abort = () => off.abort();
  machine.onPowerOff.add(abort);
  return { signal: AbortSignal.any([off.signal, machine.closing]), forget: () => machine.onPowerOff.delete(abort) };
}

function finish(channel: ServerChannel, { stdout, stderr, exitCode }: CommandResult): void {
  if (channel.destroyed) return;
  if (stderr !== "") channel.stderr.write(stderr);
  if (stdout !== "") channel.write(stdout);
  channel.exit(exitCode);
  channel.end();
}

function ignore(): void {}
