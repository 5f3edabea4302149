import type { Clock } from "../ports/clock.ts";
import type { DockerState } from "./docker-state.ts";
import type { MachineDisk } from "./machine-disk.ts";
import type { CommandResult, Session } from "./stand-in.ts";

/**
 * The whole state of one virtual host. What a real host keeps in files is kept in files of `disk`; the rest is here.
 * Everything below is changed by stand-in commands only, the way the real command would change it.
 */
export interface VirtualMachine {
  readonly clock: Clock;
  /** Waits for so many milliseconds of the host's own time, which runs `speed` times faster than ours. */
  readonly pause: (virtualMs: number, signal?: AbortSignal) => Promise<void>;
  readonly disk: MachineDisk;
  /** Runs one command line on the host, for units and the like. */
  readonly runArgv: (
    session: Session,
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
  ) => Promise<CommandResult>;
  readonly user: string;
  readonly hardware: Hardware;
  readonly faults: ReadonlySet<Fault>;
  readonly packages: Map<string, InstalledPackage>;
  /** Package sources that the last `apt-get update` could read, as lines of sources.list. */
  aptSources: readonly string[];
  readonly dkms: DkmsEntry[];
  readonly units: Map<string, UnitState>;
  readonly docker: DockerState;
  readonly journal: JournalEntry[];
  lastPid: number;
  /** Null while the host is off or between two boots. */
  boot: Boot | null;
  readonly bootIds: string[];
  /** Aborts when the embedded host is shut down for good. */
  readonly closing: AbortSignal;
  /** Called when the power goes: connections break, processes are gone. */
  readonly onPowerOff: Set<() => void>;
  /** Locks by path, each with the script that holds it. */
  readonly locks: Map<string, object>;
  /** Ports that something on the host listens on. */
  readonly listeners: Map<number, Listener>;
  /** What model servers on the host do, by their process id. */
  readonly work: Map<number, ServerWork>;
  /** BIOS settings, which count from the next boot on. */
  readonly firmware: { resizableBar: boolean; secureBoot: boolean };
  slowdownPct: number;
  readonly seed: number;
  /** Port that is reachable from outside under the same number. */
  readonly modelPort: number;
}

/** Things that can be made to go wrong. */
export type Fault =
  | "no-sudo"
  | "secure-boot"
  | "apt-lock-held"
  | "kernel-not-in-archive"
  | "kernel-hangs"
  | "image-not-in-registry";

export interface Hardware {
  readonly gpus: readonly VirtualGpu[];
  readonly cpu: VirtualCpu;
  readonly memoryKib: number;
}

export interface VirtualGpu {
  readonly bdf: string;
  /** Folder under /sys/devices. */
  readonly sysPath: string;
  readonly card: string;
  readonly renderNode: string;
  /** The card's own firmware asks for the whole window; another one leaves that to the BIOS setting. */
  readonly barPreset: boolean;
  minMhz: number;
  maxMhz: number;
  boostMhz: number;
}

export interface VirtualCpu {
  readonly model: string;
  readonly threads: number;
  readonly minKhz: number;
  readonly maxKhz: number;
  readonly policies: CpuPolicy[];
}

export interface CpuPolicy {
  governor: string;
  minKhz: number;
  maxKhz: number;
}

export interface InstalledPackage {
  readonly version: string;
  /** dpkg's words; "half-configured" after a post-installation script failed. */
  state: "installed" | "half-configured" | "config-files";
  held: boolean;
  manual: boolean;
}

export interface DkmsEntry {
  readonly name: string;
  readonly version: string;
  /** Kernels it was built and installed for. */
  readonly installed: Set<string>;
}

export interface UnitState {
  active: "active" | "inactive" | "failed" | "activating" | "deactivating";
  sub: string;
  result: string;
  exitStatus: number;
  mainPid: number;
  /** Ends the main process of a running service. */
  stop: (() => Promise<void>) | null;
  /** A unit that `systemd-run` made: it has no file of its own. */
  transient: boolean;
}

export interface JournalEntry {
  readonly atMs: number;
  readonly iso: string;
  readonly bootId: string;
  readonly unit: string;
  readonly message: string;
  /** Syslog priority: 3 error, 6 information. */
  readonly priority: number;
}

export interface Boot {
  readonly release: string;
  readonly id: string;
  readonly atMs: number;
  /** Where the i915 module that is loaded came from; null: none is. */
  readonly driver: "in-tree" | "dkms" | null;
  readonly kernelLog: string[];
  readonly commandLine: string;
}

export interface Listener {
  readonly process: string;
  readonly pid: number;
  readonly address: string;
  /** Loopback port on our side; null for listeners that nobody can reach. */
  readonly realPort: number | null;
}

/** A model server and the cards that it has filled with a model. */
export interface ServerWork {
  /** Positions in `hardware.gpus`. */
  readonly cards: readonly number[];
  readonly memoryMib: number;
  /** Whether it computes at this moment. */
  readonly isBusy: () => boolean;
}

export function writeJournal(machine: VirtualMachine, unit: string, message: string, priority = 6): void {
  for (const line of message.split("\n").filter((text) => text !== "")) {
    machine.journal.push({
      atMs: machine.clock.nowMs(),
      iso: machine.clock.isoNow(),
      bootId: machine.boot?.id ?? "",
      unit,
      message: line,
      priority,
    });
  }
}

/** A process id that nobody has had since the boot. */
export function nextPid(machine: VirtualMachine): number {
  machine.lastPid += 1;
  return machine.lastPid;
}
