import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { serveAgent } from "../../src/adapters-shell/openssh-agent.ts";
import { SSH_TUNING } from "../../src/adapters-shell/ssh-connect.ts";
import { openSshShell } from "../../src/adapters-shell/ssh-shell.ts";
import type { SshHostSpec } from "../../src/config/run-config.ts";
import { AppError } from "../../src/core/app-error.ts";
import { START_LINE } from "../../src/core/script-frame.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Shell } from "../../src/ports/shell.ts";
import { describeShell } from "./shell-contract.ts";
import { newKeyPair, startSshTestServer, type TestServer, type TestServerOptions } from "./ssh-test-server.ts";

const hostKey = newKeyPair();
const userKey = newKeyPair();
const isRoot = process.getuid?.() === 0;
/** Short, so that a test of giving up ends soon. */
const tuning = { ...SSH_TUNING, retryDelaysMs: [10, 20] };

function spec(server: TestServer, more: Partial<SshHostSpec> = {}): SshHostSpec {
  return {
    connection: "ssh",
    name: "arc-1",
    address: "127.0.0.1",
    port: server.port,
    user: "tester",
    trust: { kind: "known-hosts", text: `[127.0.0.1]:${server.port} ${hostKey.public}` },
    login: { kind: "private-key", key: new Secret(userKey.private), passphrase: null },
    connectTimeoutMs: 5_000,
    ...more,
  };
}

describeShell(
  "openSshShell() to a server in this process",
  async () => {
    const server = await startSshTestServer({ hostKeys: [hostKey], authorized: userKey });
    const shell = await openSshShell(spec(server), systemClock, tuning);
    return {
      shell,
      loseConnection: () => server.cut("reset"),
      async close() {
        await shell[Symbol.asyncDispose]();
        await server.close();
      },
    };
  },
  { sudo: isRoot ? "is-root" : "untested", tellsSignals: true },
);

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function serve(options: Partial<TestServerOptions> = {}): Promise<TestServer> {
  const server = await startSshTestServer({ hostKeys: [hostKey], authorized: userKey, ...options });
  open.push(server);
  return server;
}

async function connect(server: TestServer, more: Partial<SshHostSpec> = {}, tuned = tuning): Promise<Shell> {
  const shell = await openSshShell(spec(server, more), systemClock, tuned);
  open.push({ close: () => shell[Symbol.asyncDispose]() });
  return shell;
}

const run = (shell: Shell, text: string) => shell.run({ name: "run a test", text }, { timeoutMs: 10_000 });

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (cause: unknown) => cause,
  );
  if (!(error instanceof AppError)) throw error;
  return error;
}

describe("openSshShell() on a connection that breaks", () => {
  it.each(["reset", "fin"] as const)("gives connection-lost for a %s while commands run", async (how) => {
    const server = await serve();
    const shell = await connect(server);
    let begun = 0;
    const onLine = () => {
      begun += 1;
      if (begun === 2) server.cut(how);
    };
    const options = { timeoutMs: 10_000, onLine };
    const script = { name: "run a test", text: "echo hi; sleep 30" };
    const [first, second] = await Promise.all([shell.run(script, options), shell.run(script, options)]);
    expect(first).toMatchObject({ ended: "connection-lost", exitCode: null, signal: null, stdout: "hi\n" });
    expect(second).toMatchObject({ ended: "connection-lost" });
  });

  it("does not end the process when the connection is reset while nothing runs", async () => {
    const server = await serve();
    const shell = await connect(server);
    server.cut("reset");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await run(shell, "echo back")).toMatchObject({ stdout: "back\n" });
    expect(server.connections()).toBe(2);
  });

  it("notices a host that says nothing any more", async () => {
    const server = await serve();
    const shell = await connect(server, {}, { ...tuning, keepaliveMs: 100, keepaliveCount: 2 });
    setTimeout(() => server.freeze(), 200);
    expect(await run(shell, "sleep 30")).toMatchObject({ ended: "connection-lost" });
  });

  it("never calls a command finished whose channel closed without an exit status", async () => {
    const server = await serve({
      onCommand(channel) {
        channel.write(`${START_LINE}\nhi\n`);
        channel.close();
      },
    });
    const result = await run(await connect(server), "true");
    expect(result).toMatchObject({ ended: "connection-lost", exitCode: null, stdout: "hi\n" });
  });

  it("rejects a run with HOST_UNREACHABLE when the host stays away", async () => {
    const server = await serve();
    const shell = await connect(server);
    await server.close();
    expect(await failure(run(shell, "true"))).toMatchObject({ code: "HOST_UNREACHABLE" });
    expect(await failure(shell.reconnect())).toMatchObject({ code: "HOST_UNREACHABLE" });
  });
});

describe("openSshShell() on output", () => {
  it("joins characters that were cut between packets", async () => {
    const server = await serve({
      onCommand(channel) {
        const bytes = Buffer.from(`${START_LINE}\na€🚀b\n`);
        const send = (at: number) => {
          if (at < bytes.length) return channel.write(bytes.subarray(at, at + 1), () => setImmediate(send, at + 1));
          channel.exit(0);
          return channel.close();
        };
        send(0);
      },
    });
    expect(await run(await connect(server), "true")).toMatchObject({ exitCode: 0, stdout: "a€🚀b\n" });
  });

  it("keeps what the login shell prints out of the script's output", async () => {
    const shell = await connect(await serve({ noise: "Welcome!\nno newline at the end" }));
    expect(await run(shell, "echo out; echo err >&2")).toMatchObject({ stdout: "out\n", stderr: "err\n" });
  });

  it("says what the login shell said when it starts no script", async () => {
    const shell = await connect(await serve({ loginShell: "/bin/false", noise: "This account is not available.\n" }));
    expect(await failure(run(shell, "true"))).toMatchObject({
      code: "COMMAND_FAILED",
      message: expect.stringMatching(/login shell ended with exit code 1 .*This account is not available/),
    });
  });

  it("waits for a free session when the host allows fewer than we ask for", async () => {
    const shell = await connect(await serve({ maxSessions: 2 }));
    const results = await Promise.all(Array.from({ length: 10 }, () => run(shell, "sleep 0.1; echo done")));
    expect(results.every(({ stdout }) => stdout === "done\n")).toBe(true);
  });

  it("connects anew when scripts that were let go to finish hold all sessions", async () => {
    const server = await serve({ maxSessions: 2, holdsSessions: true });
    const shell = await connect(server);
    for (let round = 0; round < 3; round += 1) expect(await run(shell, "echo done")).toMatchObject({ exitCode: 0 });
    expect(server.connections()).toBe(2);
  });

  it("says so when the host allows no session at all", async () => {
    const shell = await connect(await serve({ maxSessions: 0 }));
    expect(await failure(run(shell, "true"))).toMatchObject({
      code: "HOST_UNREACHABLE",
      message: expect.stringContaining('Cannot open a session on host "arc-1"'),
    });
  });
});

describe("openSshShell() on the host key", () => {
  it("refuses another key than the trusted one, and prints the offered key and its known_hosts line", async () => {
    const server = await serve({ hostKeys: [newKeyPair("ecdsa")] });
    const error = await failure(connect(server));
    expect(error.code).toBe("HOST_KEY_MISMATCH");
    expect(error.message).toMatch(
      /offered ecdsa-sha2-nistp256 SHA256:\S{43} at .*known_hosts says ssh-ed25519 SHA256:/,
    );
    expect(error.hint).toMatch(
      new RegExp(`known_hosts line: \\[127\\.0\\.0\\.1\\]:${server.port} ecdsa-sha2-nistp256 AAAA`),
    );
    expect(server.connections()).toBe(1);
  });

  it("refuses when known_hosts has no line for the host; the line it prints is accepted afterwards", async () => {
    const server = await serve();
    const error = await failure(connect(server, { trust: { kind: "known-hosts", text: `other ${hostKey.public}` } }));
    expect(error).toMatchObject({ code: "HOST_KEY_MISSING", hint: expect.stringContaining("ssh-keygen -lf") });
    const line = /known_hosts line: (.*)$/.exec(error.hint)?.[1] ?? "";
    const shell = await connect(server, { trust: { kind: "known-hosts", text: line } });
    expect(await run(shell, "echo in")).toMatchObject({ stdout: "in\n" });
  });

  it("asks the host for the key type that known_hosts has", async () => {
    const rsa = newKeyPair("rsa");
    const server = await serve({ hostKeys: [hostKey, newKeyPair("ecdsa"), rsa] });
    const text = `[127.0.0.1]:${server.port} ${rsa.public}`;
    expect(await run(await connect(server, { trust: { kind: "known-hosts", text } }), "echo in")).toMatchObject({
      stdout: "in\n",
    });
  });

  it("finds the key of a trusted fingerprint among the host's keys, whatever their order", async () => {
    const ecdsa = newKeyPair("ecdsa");
    const rsa = newKeyPair("rsa");
    const server = await serve({ hostKeys: [hostKey, ecdsa, rsa] });
    const error = await failure(connect(server, { trust: { kind: "fingerprints", sha256: ["SHA256:none"] } }));
    expect(error).toMatchObject({ code: "HOST_KEY_MISMATCH", message: expect.stringContaining("ssh-ed25519") });
    for (const pair of [hostKey, ecdsa, rsa]) {
      const sha256 = [fingerprint(pair.public)];
      const shell = await connect(server, { trust: { kind: "fingerprints", sha256 } });
      expect(await run(shell, "echo in")).toMatchObject({ stdout: "in\n" });
    }
  });
});

describe("openSshShell() on logging in", () => {
  it("names user and key when the host refuses them, and what the host accepts", async () => {
    const server = await serve();
    const wrongUser = await failure(connect(server, { user: "nobody" }));
    expect(wrongUser).toMatchObject({
      code: "HOST_AUTH_FAILED",
      message: expect.stringMatching(/as "nobody" with key ssh-ed25519 SHA256:\S+: .*accepts publickey, password/),
    });
    const login = { kind: "private-key", key: new Secret(newKeyPair().private), passphrase: null } as const;
    expect(await failure(connect(server, { login }))).toMatchObject({ code: "HOST_AUTH_FAILED" });
    expect(server.connections()).toBe(2);
  });

  it("accepts a key with CRLF line ends and without its last newline", async () => {
    const key = new Secret(`  \r\n${userKey.private.trim().replaceAll("\n", "\r\n")}`);
    const shell = await connect(await serve(), { login: { kind: "private-key", key, passphrase: null } });
    expect(await run(shell, "echo in")).toMatchObject({ stdout: "in\n" });
  });

  it("opens an encrypted key with its passphrase, and says what is wrong without it", async () => {
    const locked = newKeyPair("ed25519", "open sesame");
    const server = await serve({ authorized: locked });
    const login = (passphrase: string | null) => ({
      kind: "private-key" as const,
      key: new Secret(locked.private),
      passphrase: passphrase === null ? null : new Secret(passphrase),
    });
    expect(await run(await connect(server, { login: login("open sesame") }), "echo in")).toMatchObject({ exitCode: 0 });
    expect(await failure(connect(server, { login: login(null) }))).toMatchObject({
      code: "INPUT_INVALID",
      message: 'Cannot use the private key of host "arc-1": it is encrypted and there is no passphrase',
    });
    expect(await failure(connect(server, { login: login("wrong") }))).toMatchObject({
      message: 'Cannot use the private key of host "arc-1": the passphrase does not open it',
    });
  });

  it.each([
    { what: "not a key", key: "nonsense", says: "no private key that can be read" },
    { what: "cut off", key: userKey.private.slice(0, 120), says: "no private key that can be read" },
    { what: "a public key", key: userKey.public, says: "it is a public key" },
  ])("says that the private key is $what, and shows none of it", async ({ key, says }) => {
    const login = { kind: "private-key", key: new Secret(key), passphrase: null } as const;
    const error = await failure(connect(await serve(), { login }));
    expect(error).toMatchObject({ code: "INPUT_INVALID", message: expect.stringContaining(says) });
    expect(`${error.message} ${error.hint} ${String(error.cause)}`).not.toContain(key.slice(0, 20));
  });

  it.each(["ed25519", "ecdsa", "rsa"] as const)("logs in with an %s key that only an agent has", async (type) => {
    const pair = newKeyPair(type);
    const key = ssh2.utils.parseKey(pair.private);
    if (key instanceof Error) throw key;
    const folder = mkdtempSync(join(tmpdir(), "arc-vllm-agent-"));
    const agent = await serveAgent(key, join(folder, "socket"));
    const login = { kind: "agent", socket: join(folder, "socket") } as const;
    expect(await run(await connect(await serve({ authorized: pair }), { login }), "echo in")).toMatchObject({
      exitCode: 0,
    });
    expect(await failure(connect(await serve(), { login }))).toMatchObject({ code: "HOST_AUTH_FAILED" });
    agent.close();
    rmSync(folder, { recursive: true });
  });

  it("says that the agent's socket does not answer", async () => {
    const error = await failure(
      connect(await serve(), { login: { kind: "agent", socket: "/nonexistent/agent.sock" } }),
    );
    expect(error).toMatchObject({
      code: "HOST_AUTH_FAILED",
      message: expect.stringContaining("/nonexistent/agent.sock"),
    });
  });
});

describe("openSshShell() on a host that cannot be reached", () => {
  it("names address, port and cause when nothing listens, after a bounded number of attempts", async () => {
    const server = await serve();
    await server.close();
    const error = await failure(connect(server));
    expect(error).toMatchObject({
      code: "HOST_UNREACHABLE",
      message: `Cannot reach host "arc-1" at 127.0.0.1:${server.port}: connection refused`,
    });
  });

  it("tries again after a reset and after a hang-up, and then works", async () => {
    const server = await serve({ resetFirst: 2 });
    expect(await run(await connect(server), "echo in")).toMatchObject({ stdout: "in\n" });
    expect(server.connections()).toBe(3);
  });

  it("gives up when the host accepts and then says nothing", async () => {
    const server = await serve({ neverAnswers: true });
    const error = await failure(connect(server, { connectTimeoutMs: 200 }));
    expect(error).toMatchObject({ code: "HOST_UNREACHABLE", message: expect.stringMatching(/: no answer in time$/) });
    expect(server.connections()).toBe(3);
  });

  it("says so when another protocol answers at the port", async () => {
    const web = createServer((socket) =>
      socket
        .on("error", () => {})
        .resume()
        .end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    );
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const { port } = web.address() as AddressInfo;
    const error = await failure(connect(await serve(), { port }));
    expect(error).toMatchObject({
      code: "HOST_UNREACHABLE",
      hint: expect.stringContaining("Check that this is an SSH port"),
    });
    await new Promise((resolve) => web.close(resolve));
  });

  it("says that a name does not resolve, and does not try again", async () => {
    const error = await failure(connect(await serve(), { address: "no-such-host.invalid", trust: noTrust }));
    expect(error).toMatchObject({ code: "HOST_UNREACHABLE", message: expect.stringContaining("no-such-host.invalid") });
  });
});

const noTrust = { kind: "fingerprints", sha256: ["SHA256:x"] } as const;

function fingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace("=", "")}`;
}
