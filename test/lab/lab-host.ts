import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { $ } from "zx";
import { buildLabImage, type LabImage } from "../../scripts/lab/build-image.ts";
import type { HardwareVariant } from "../../scripts/lab/image/hardware.ts";
import { LOGIN_USER } from "../../scripts/lab/image/recipe.ts";
import { createMachine, type KernelFault, type Machine } from "../../scripts/lab/machine/machine.ts";
import { createNetwork, type LabNetwork } from "../../scripts/lab/machine/network.ts";
import type { SshHostSpec } from "../../src/config/run-config.ts";
import { Secret } from "../../src/core/secret.ts";

const cache = resolve(import.meta.dirname, "../../.cache/lab");
const NAME_PREFIX = "arc-lab-";
/** A boot takes 20 s; on a machine with other work many times that. */
const BOOT_TIMEOUT_MS = 600_000;
let hostsStarted = 0;

export interface LabHostOptions {
  readonly hardware?: HardwareVariant;
  readonly memoryMiB?: number;
  /** Where the host goes on from: a disk that another host kept, instead of the image's fresh one. */
  readonly disk?: string;
  /** Keep a copy of the disk at every reboot, in `keptDisks`. */
  readonly keepDisks?: boolean;
}

export interface CommandOutcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A really booted Linux host with stand-in graphics cards. Everything but the hardware is real. */
export interface LabHost {
  /** What openShell() wants: a loopback port that leads to the guest's sshd, the login user and its key, the host key. */
  readonly spec: SshHostSpec;
  readonly consolePath: string;
  /** Kernel releases that were booted, oldest first. */
  readonly boots: readonly string[];
  /** Copies of the disk as it was between two boots, oldest first; they go away with the host. */
  readonly keptDisks: readonly string[];
  /** What goes wrong with a kernel from its next boot on. */
  readonly faults: Map<string, KernelFault>;
  /** Runs a bash script as root through the plain OpenSSH client, apart from everything under test. */
  root(script: string, timeoutMs?: number): Promise<CommandOutcome>;
  /** As `root`, but a failing script throws; returns what it printed, trimmed. */
  rootOk(script: string, timeoutMs?: number): Promise<string>;
  /** Waits until sshd answers and returns the boot id. */
  waitForSsh(timeoutMs?: number): Promise<string>;
  /** Reboots from inside and waits until the next boot answers; returns its boot id. */
  reboot(timeoutMs?: number): Promise<string>;
  /** Pulls the plug: nothing is written back, no connection is closed. */
  powerCut(): Promise<void>;
  /** Switches it on, with other BIOS settings when given. */
  powerOn(hardware?: HardwareVariant): void;
  cutNetwork(): Promise<void>;
  restoreNetwork(): Promise<void>;
  /** A port on 127.0.0.1 that leads to a port of the guest; any free one unless given. */
  forward(guestPort: number, port?: number): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Boots a lab host from a copy of the image (built on first use, about a minute) and waits for its sshd. Needs root.
 * The default is what users report: kernel 6.8.0-45, no out-of-tree driver, Resizable BAR off.
 */
export async function startLabHost(options: LabHostOptions = {}): Promise<LabHost> {
  await sweep();
  const image = await buildLabImage((line) => console.log(`lab image: ${line}`));
  hostsStarted += 1;
  const name = `${NAME_PREFIX}${process.pid}-${hostsStarted}`;
  const folder = join(cache, name);
  await mkdir(folder, { recursive: true });
  const disk = join(folder, "disk.img");
  await copyDisk(options.disk ?? image.disk, disk);

  const network = await createNetwork(name);
  const settings = {
    disk,
    folder,
    namespace: name,
    memoryMiB: options.memoryMiB ?? 1500,
    hardware: options.hardware ?? ("rebar-off" as HardwareVariant),
    faults: new Map<string, KernelFault>(),
  };
  const keptDisks: string[] = [];
  const beforeReboot = async () => {
    if (options.keepDisks !== true) return;
    const kept = join(folder, `kept-${keptDisks.length}.img`);
    await copyDisk(disk, kept);
    keptDisks.push(kept);
  };
  const machine = await createMachine(Object.assign(settings, { beforeReboot }));
  const client = await sshClient(folder, image, await network.forward(22));
  const host = labHost({ machine, network, settings, client, image, name, keptDisks });
  try {
    machine.powerOn();
    await host.waitForSsh();
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

interface Parts {
  readonly name: string;
  readonly machine: Machine;
  readonly network: LabNetwork;
  readonly settings: { hardware: HardwareVariant; readonly faults: Map<string, KernelFault>; readonly folder: string };
  readonly client: SshClient;
  readonly image: LabImage;
  readonly keptDisks: readonly string[];
}

/** The data only: a disk is mostly holes. */
async function copyDisk(from: string, to: string): Promise<void> {
  await $`cp --sparse=always --reflink=auto ${from} ${to}`;
}

function labHost({ machine, network, settings, client, image, name, keptDisks }: Parts): LabHost {
  async function rootOk(script: string, timeoutMs?: number): Promise<string> {
    const { exitCode, stdout, stderr } = await client.run(script, timeoutMs);
    if (exitCode !== 0) throw new Error(`Lab host: exit code ${exitCode} of: ${script}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  async function waitForBoot(isWanted: (bootId: string) => boolean, timeoutMs: number): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      const { exitCode, stdout } = await client.run("cat /proc/sys/kernel/random/boot_id", 10_000);
      if (exitCode === 0 && isWanted(stdout.trim())) return stdout.trim();
      await sleep(500);
    }
    const tail = (await readFile(machine.consolePath, "utf8")).split("\n").slice(-30).join("\n");
    throw new Error(`Lab host ${name} does not answer after ${timeoutMs} ms; its console ends with:\n${tail}`);
  }

  return {
    spec: {
      connection: "ssh",
      name,
      address: "127.0.0.1",
      port: client.port,
      user: LOGIN_USER,
      trust: { kind: "fingerprints", sha256: [image.hostKeySha256] },
      login: { kind: "private-key", key: new Secret(image.privateKey), passphrase: null },
      connectTimeoutMs: 20_000,
    },
    consolePath: machine.consolePath,
    boots: machine.boots,
    keptDisks,
    faults: settings.faults,
    root: client.run,
    rootOk,
    waitForSsh: (timeoutMs = BOOT_TIMEOUT_MS) => waitForBoot(() => true, timeoutMs),
    async reboot(timeoutMs = BOOT_TIMEOUT_MS) {
      const before = await rootOk(
        "cat /proc/sys/kernel/random/boot_id; systemd-run --quiet --on-active=1 systemctl reboot",
      );
      return waitForBoot((bootId) => bootId !== before, timeoutMs);
    },
    powerCut: machine.powerCut,
    powerOn(hardware = settings.hardware) {
      settings.hardware = hardware;
      machine.powerOn();
    },
    cutNetwork: network.cut,
    restoreNetwork: network.restore,
    forward: network.forward,
    async [Symbol.asyncDispose]() {
      await machine.powerCut();
      await network[Symbol.asyncDispose]();
      await rm(settings.folder, { recursive: true, force: true });
    },
  };
}

interface SshClient {
  readonly port: number;
  run(script: string, timeoutMs?: number): Promise<CommandOutcome>;
}

/** The system's own `ssh`, with a key and a known_hosts file of this image and nothing of the user's. */
async function sshClient(folder: string, image: LabImage, port: number): Promise<SshClient> {
  const key = join(folder, "id_ed25519");
  await writeFile(key, image.privateKey, { mode: 0o600 });
  const knownHosts = join(folder, "known_hosts");
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${image.hostKey}\n`);
  const settings = [
    "BatchMode=yes",
    "ConnectTimeout=8",
    "IdentitiesOnly=yes",
    "LogLevel=ERROR",
    "ServerAliveInterval=5",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${knownHosts}`,
  ].flatMap((setting) => ["-o", setting]);
  return {
    port,
    run(script, timeoutMs = 600_000) {
      const argv = ["-F", "/dev/null", ...settings, "-i", key, "-p", String(port), "root@127.0.0.1", "bash -s"];
      const ssh = spawn("ssh", argv, { timeout: timeoutMs });
      // It ends without reading when it cannot connect.
      ssh.stdin.on("error", () => {});
      ssh.stdin.end(script);
      return Promise.all([text(ssh.stdout), text(ssh.stderr), once(ssh, "close")]).then(
        ([stdout, stderr, [exitCode]]) => ({ exitCode: exitCode as number | null, stdout, stderr }),
      );
    },
  };
}

/** Removes what a killed test run left behind: namespaces and folders named after processes that are gone. */
async function sweep(): Promise<void> {
  await mkdir(cache, { recursive: true });
  const namespaces = (await $`ip netns list`.quiet()).stdout.split("\n").map((line) => line.split(" ")[0] ?? "");
  // Another test process may be sweeping too.
  for (const name of namespaces.filter(isLeftOver)) await $`ip netns delete ${name}`.nothrow().quiet();
  for (const name of (await readdir(cache)).filter(isLeftOver))
    await rm(join(cache, name), { recursive: true, force: true });
}

function isLeftOver(name: string): boolean {
  const pid = new RegExp(`^${NAME_PREFIX}(\\d+)-\\d+$`).exec(name)?.[1];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch {
    return true;
  }
}
