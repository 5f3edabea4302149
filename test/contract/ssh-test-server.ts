import { type ChildProcess, spawn } from "node:child_process";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";

export interface TestServerOptions {
  /** Host keys it has; a client may be shown any of them. */
  readonly hostKeys?: readonly KeyPair[];
  /** The public key it lets in, for user "tester". */
  readonly authorized: KeyPair;
  /** Plays a command instead of running it in a real shell. */
  readonly onCommand?: (channel: ServerChannel, command: string) => void;
  /** What a new connection gets: the protocol, or a reset for so many connections first, or nothing ever. */
  readonly resetFirst?: number;
  readonly neverAnswers?: boolean;
  /** Sessions open at once on a connection; more are refused, as sshd does over MaxSessions. */
  readonly maxSessions?: number;
  /** Goes on counting sessions that are over, as sshd does while a command still runs. */
  readonly holdsSessions?: boolean;
  /** Refuses to connect a client onwards, as sshd does with AllowTcpForwarding off. */
  readonly neverForwards?: boolean;
  /** What the login shell prints before it does anything. */
  readonly noise?: string;
  readonly loginShell?: string;
}

export interface TestServer {
  readonly port: number;
  readonly connections: () => number;
  /** Ends every connection: with a RST, or with a FIN in the middle of whatever goes on. */
  cut(how: "reset" | "fin"): void;
  /** Goes on reading from no connection and writing to none, as if the cable were pulled. */
  freeze(): void;
  close(): Promise<void>;
}

export interface KeyPair {
  readonly private: string;
  /** "type base64": what stands in known_hosts and authorized_keys. */
  readonly public: string;
}

export function newKeyPair(type: "ed25519" | "ecdsa" | "rsa" = "ed25519", passphrase?: string): KeyPair {
  const bits = type === "rsa" ? { bits: 2048 } : type === "ecdsa" ? { bits: 256 } : {};
  const lock = passphrase === undefined ? {} : { passphrase, cipher: "aes256-cbc", rounds: 8 };
  // @types/ssh2 has one overload per key type, with other options each.
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync(type as "ed25519", { ...bits, ...lock } as object);
    // The generator now and then writes a key that its own parser refuses.
    if (ssh2.utils.parseKey(pair.private, passphrase) instanceof Error) continue;
    return { private: pair.private, public: pair.public.split(" ").slice(0, 2).join(" ") };
  }
}

/** A small SSH server in this process that runs commands in a real shell, and breaks on demand. */
export async function startSshTestServer(options: TestServerOptions): Promise<TestServer> {
  const hostKeys = (options.hostKeys ?? [newKeyPair()]).map((pair) => pair.private);
  const server = new ssh2.Server({ hostKeys, keepaliveInterval: 0 }, (client) => serve(client, options));
  const sockets = new Set<Socket>();
  let connections = 0;
  const listener = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
    if (connections <= (options.resetFirst ?? 0)) socket.resetAndDestroy();
    else if (!options.neverAnswers) server.injectSocket(socket);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return {
    port: (listener.address() as AddressInfo).port,
    connections: () => connections,
    cut(how) {
      for (const socket of sockets) how === "reset" ? socket.resetAndDestroy() : socket.destroySoon();
    },
    freeze() {
      for (const socket of sockets) {
        socket.pause();
        socket.removeAllListeners("data");
        socket.write = () => true;
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

function serve(client: Connection, options: TestServerOptions): void {
  client.on("error", () => {});
  client.setMaxListeners(0);
  client.on("authentication", (context) => {
    if (context.username === "tester" && isAuthorized(context, options.authorized)) context.accept();
    else context.reject(["publickey", "password"]);
  });
  client.on("tcpip", (accept, reject, { destIP, destPort }) => {
    if (options.neverForwards === true) return reject();
    const socket = connect(destPort, destIP);
    socket.once("error", () => reject());
    socket.once("connect", () => {
      const channel = accept();
      socket.removeAllListeners("error").once("error", () => channel.close());
      channel.on("error", () => {});
      channel.pipe(socket).pipe(channel);
    });
  });
  let sessions = 0;
  client.on("session", (accept, reject) => {
    if (sessions >= (options.maxSessions ?? 10)) return reject();
    sessions += 1;
    const session = accept();
    // A channel of ssh2's server emits "close" only when it has been read to its end; the session always does.
    const gone = new Promise<void>((resolve) => {
      session.once("close", resolve);
      client.once("close", resolve);
    });
    session.once("close", () => {
      if (!options.holdsSessions) sessions -= 1;
    });
    session.on("exec", (acceptExec, _reject, { command }) => {
      const channel = acceptExec();
      channel.on("error", () => {});
      if (options.onCommand !== undefined) options.onCommand(channel, command);
      else execute(channel, command, gone, options);
    });
  });
}

function isAuthorized(context: AuthContext, authorized: KeyPair): boolean {
  if (context.method !== "publickey") return false;
  const key = ssh2.utils.parseKey(authorized.public);
  if (key instanceof Error || !context.key.data.equals(key.getPublicSSH())) return false;
  return context.signature === undefined || key.verify(context.blob as Buffer, context.signature, context.hashAlgo);
}

/** As sshd without a terminal: pipes, a session of its own, and no signal when the client goes away. */
function execute(channel: ServerChannel, command: string, gone: Promise<void>, options: TestServerOptions): void {
  const { noise = "", loginShell = "/bin/sh" } = options;
  if (noise !== "") {
    channel.write(noise);
    channel.stderr.write(noise);
  }
  const child = spawn(loginShell, ["-c", command], { detached: true, stdio: ["pipe", "pipe", "pipe"] });
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => {});
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.once("exit", (code, signal) => {
    if (code !== null) channel.exit(code);
    else channel.exit((signal ?? "KILL").replace("SIG", ""), false, "");
  });
  // Not close(), which drops what the client's window has not let through yet.
  child.once("close", () => channel.end());
  void gone.then(() => hangUp(child));
}

function hangUp(child: ChildProcess): void {
  for (const stream of child.stdio) stream?.destroy();
}
