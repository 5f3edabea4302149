import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HardwareVariant } from "../image/hardware.ts";
import { chooseCpu } from "./choose-cpu.ts";
import { loadKernel } from "./disk.ts";
import { TAP } from "./network.ts";

/** What goes wrong with a kernel: it panics at once, stops without a word, or comes up without its network card. */
export type KernelFault = "panic" | "hang" | "no-network";

export interface MachineOptions {
  readonly disk: string;
  /** Where the console log and the machine's own files go. */
  readonly folder: string;
  readonly namespace: string;
  readonly memoryMiB: number;
  /** Read at every boot, like the next two. */
  hardware: HardwareVariant;
  /** By kernel release. */
  readonly faults: Map<string, KernelFault>;
  /** Called between the end of one boot and the start of the next, while the disk is at rest. */
  readonly beforeReboot?: () => Promise<void>;
}

/** A machine that is on or off. It reboots by itself, through the boot loader's choice each time. */
export interface Machine {
  readonly consolePath: string;
  /** Releases it booted, oldest first. */
  readonly boots: readonly string[];
  readonly isOn: () => boolean;
  powerOn(): void;
  /** Takes the power away at once, like a pulled plug. */
  powerCut(): Promise<void>;
  /** Resolves when it has switched itself off. */
  off(): Promise<void>;
}

/** Exit code of the program that User-mode Linux re-executes (as its argv[0]) when the guest reboots. */
const REBOOT = 64;
/** A panicked kernel waits this long before it reboots, whatever panic=SECONDS says beyond it. */
const LONGEST_PANIC_MS = 3000;

export async function createMachine(options: MachineOptions): Promise<Machine> {
  const marker = join(options.folder, "reboot");
  await writeFile(marker, `#!/bin/sh\nexit ${REBOOT}\n`, { mode: 0o755 });
  const consolePath = join(options.folder, "console.log");
  const cpu = String(await chooseCpu());
  const boots: string[] = [];
  let running: ChildProcess | null = null;
  let life: Promise<void> | null = null;
  let isCut = false;

  /** Boots again and again until the guest powers off, hangs, or loses its power. */
  async function live(): Promise<void> {
    for (;;) {
      const kernel = join(options.folder, "kernel");
      const { entry } = await loadKernel(options.disk, kernel);
      const release = entry.kernel.replace(/^.*vmlinuz-/, "");
      const fault = options.faults.get(release);
      boots.push(release);
      await note(`lab: GRUB starts "${entry.title}"${fault === undefined ? "" : ` (fault: ${fault})`}`);
      if (isCut || fault === "hang") return;
      running = await start(kernel, entry.arguments, fault);
      const [code, signal] = (await once(running, "exit")) as [number | null, NodeJS.Signals | null];
      running = null;
      if (isCut || code === 0) return;
      if (code === REBOOT) {
        await options.beforeReboot?.();
        continue;
      }
      const panicMs = panicTimeoutMs(entry.arguments);
      await note(`lab: the kernel panicked (${signal ?? code}), ${panicMs === null ? "the machine hangs" : "reboots"}`);
      if (panicMs === null) return;
      await new Promise((resolve) => setTimeout(resolve, Math.min(panicMs, LONGEST_PANIC_MS)));
    }
  }

  async function start(kernel: string, grubArguments: readonly string[], fault: KernelFault | undefined) {
    await using log = await open(consolePath, "a");
    const root = fault === "panic" ? "/dev/no-such-disk" : "/dev/ubda";
    const argv = [
      marker,
      kernel,
      `uml_dir=${options.folder}`,
      `mem=${options.memoryMiB}M`,
      `ubd0=${options.disk}`,
      ...grubArguments.filter((argument) => !argument.startsWith("root=")),
      `root=${root}`,
      `lab.hardware=${options.hardware}`,
      ...(fault === "no-network" ? [] : [`vec0:transport=tap,ifname=${TAP},depth=64`]),
      "con0=null,fd:1",
      "con=none",
      // Hundreds of old terminal devices would slow down whatever walks /dev.
      "pty.legacy_count=0",
    ];
    // In a process namespace of its own: killing its first process ends every process of the guest. It dies with us.
    const inNamespaces = ["setpriv", "--pdeathsig", "KILL", "taskset", "--cpu-list", cpu]
      .concat(["ip", "netns", "exec", options.namespace])
      .concat(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"])
      .concat(["bash", "-c", 'm=$1 k=$2; shift 2; (exec -a "$m" "$k" "$@"); exit $?', "lab"]);
    const [command = "", ...rest] = [...inNamespaces, ...argv];
    return spawn(command, rest, { stdio: ["ignore", log.fd, log.fd] });
  }

  async function note(line: string): Promise<void> {
    await writeFile(consolePath, `${line}\n`, { flag: "a" });
  }

  return {
    consolePath,
    boots,
    isOn: () => running !== null,
    powerOn() {
      isCut = false;
      life = live();
      // Reported by off() and powerCut(), which await it.
      life.catch(() => {});
    },
    async powerCut() {
      isCut = true;
      running?.kill("SIGKILL");
      await life;
    },
    async off() {
      await life;
    },
  };
}

/** Null: a panic stays where it is. */
function panicTimeoutMs(grubArguments: readonly string[]): number | null {
  const seconds = Number(
    grubArguments.findLast((argument) => argument.startsWith("panic="))?.slice("panic=".length) ?? 0,
  );
  return seconds > 0 ? seconds * 1000 : null;
}
