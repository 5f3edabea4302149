import ssh2, { type Client } from "ssh2";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { bootstrapCommand, frameScript, START_LINE } from "../../src/core/script-frame.ts";
import { type EmbeddedHost, startEmbeddedHost } from "../../src/sim/embedded-host.ts";
import type { MachineOptions } from "../../src/sim/start-machine.ts";

async function embeddedHost(over: Partial<MachineOptions> = {}): Promise<EmbeddedHost> {
  const host = await startEmbeddedHost({ clock: systemClock, modelPort: 0, speed: 300, ...over });
  onTestFinished(() => host.stop());
  return host;
}

/** A plain ssh2 connection. Rejects when the host does not let us in. */
function connect(host: EmbeddedHost, over: { privateKey?: string; username?: string } = {}): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.on("ready", () => resolve(client));
    client.on("error", reject);
    client.connect({
      host: host.address,
      port: host.sshPort,
      username: host.user,
      privateKey: host.privateKey,
      ...over,
    });
    onTestFinished(() => void client.end());
  });
}

interface Exec {
  readonly stdout: string;
  readonly stderr: string;
  /** Null when the channel closed under the command. */
  readonly exitCode: number | null;
}

function exec(client: Client, command: string, stdin?: Uint8Array): Promise<Exec> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      let [stdout, stderr, exitCode] = ["", "", null as number | null];
      channel.on("data", (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      channel.stderr.on("data", (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      channel.on("exit", (code) => {
        exitCode = code;
      });
      channel.on("close", () => resolve({ stdout, stderr, exitCode }));
      if (stdin) channel.write(stdin);
    });
  });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await systemClock.sleep(5);
}

async function untilFile(host: EmbeddedHost, path: string): Promise<void> {
  while ((await host.readFile(path)) === null) await systemClock.sleep(5);
}

describe("startEmbeddedHost()", () => {
  it("runs commands over SSH with their output and exit code", async () => {
    const client = await connect(await embeddedHost());
    expect(await exec(client, "uname -r; echo oops >&2; exit 3")).toEqual({
      stdout: "6.8.0-45-generic\n",
      stderr: "oops\n",
      exitCode: 3,
    });
  });

  it("runs framed scripts, as root when the bootstrap asks for it", async () => {
    const client = await connect(await embeddedHost());
    const command = bootstrapCommand({ sudo: true, onDisconnect: "kill" });
    const result = await exec(client, command, frameScript('echo "$WORD $(id -un)"', { WORD: "it's" }));
    expect(result).toEqual({ stdout: `${START_LINE}\nit's root\n`, stderr: `${START_LINE}\n`, exitCode: 0 });
  });

  it("ends a killed script when its stdin ends, and lets the other kind finish", async () => {
    const host = await embeddedHost();
    for (const onDisconnect of ["kill", "finish"] as const) {
      const client = await connect(host);
      const text = `echo > /var/tmp/began-${onDisconnect}; sleep 60; echo > /var/tmp/ended-${onDisconnect}`;
      const gone = exec(client, bootstrapCommand({ sudo: false, onDisconnect }), frameScript(text, {}));
      await untilFile(host, `/var/tmp/began-${onDisconnect}`);
      client.end();
      await gone;
    }
    await untilFile(host, "/var/tmp/ended-finish");
    expect(await host.readFile("/var/tmp/ended-kill")).toBeNull();
  });

  it.each([
    { name: "another user", over: { username: "root" } },
    { name: "another key", over: { privateKey: ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 }).private } },
  ])("refuses $name", async ({ over }) => {
    await expect(connect(await embeddedHost(), over)).rejects.toMatchObject({ level: "client-authentication" });
  });

  it("breaks connections at a reboot, refuses new ones, and comes back with another boot id", async () => {
    const host = await embeddedHost({ speed: 100 });
    const client = await connect(host);
    client.removeAllListeners("error").on("error", () => undefined);
    const before = await exec(client, "cat /proc/sys/kernel/random/boot_id");
    const broken = exec(client, "sleep 60");
    expect(await exec(client, "sudo systemctl reboot")).toMatchObject({ exitCode: 0 });
    expect(await broken).toMatchObject({ exitCode: null });

    await until(() => host.kernel() === null);
    await expect(connect(host)).rejects.toThrow();
    await until(() => host.kernel() !== null);
    const after = await exec(await connect(host), "cat /proc/sys/kernel/random/boot_id");
    expect(after.stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    expect(after.stdout).not.toBe(before.stdout);
    expect(host.bootCount()).toBe(2);
  });

  it("keeps two hosts apart", async () => {
    const [left, right] = await Promise.all([embeddedHost(), embeddedHost()]);
    await exec(await connect(left), "sudo touch /etc/only-here");
    expect(left.hostKeySha256).not.toBe(right.hostKeySha256);
    expect(await left.readFile("/etc/only-here")).toBe("");
    expect(await right.readFile("/etc/only-here")).toBeNull();
  });

  it("leaves no listener behind when it stops", async () => {
    const host = await startEmbeddedHost({ clock: systemClock, modelPort: 0, speed: 300 });
    const client = await connect(host);
    client.removeAllListeners("error").on("error", () => undefined);
    await host.stop();
    await expect(connect(host)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
