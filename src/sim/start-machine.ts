import type { Clock } from "../ports/clock.ts";
import { newHardware } from "../sim-machine/hardware.ts";
import { bootMachine } from "../sim-machine/power.ts";
import type { Fault, VirtualMachine } from "../sim-machine/virtual-machine.ts";
import { runArgv } from "./bash-session.ts";
import { furnishMachine, newDisk } from "./disk-image.ts";

export interface MachineOptions {
  readonly clock: Clock;
  /** Loopback port under which a model server on the host can be reached, if it listens on the same number. */
  readonly modelPort: number;
  /** How much faster than ours the host's time runs for boots, installations and starts; never for tokens. */
  readonly speed?: number;
  readonly faults?: readonly Fault[];
  /** Makes decoding slower by this much, to show a regression. */
  readonly slowdownPct?: number;
  readonly seed?: number;
}

const USER = "arc";
const DEFAULT_SPEED = 30;

/** A virtual host in the bad state that users report, installed and booted. `closing` ends everything that runs on it. */
export async function startMachine(options: MachineOptions, closing: AbortSignal): Promise<VirtualMachine> {
  const machine = newMachine(options, closing);
  await furnishMachine(machine);
  await bootMachine(machine);
  return machine;
}

function newMachine(options: MachineOptions, closing: AbortSignal): VirtualMachine {
  const { clock, speed = DEFAULT_SPEED } = options;
  const faults = new Set(options.faults ?? []);
  return {
    clock,
    pause: (virtualMs, signal) => clock.sleep(virtualMs / speed, signal ? AbortSignal.any([signal, closing]) : closing),
    disk: newDisk(USER),
    runArgv: (session, argv, env) => runArgv(session, argv, { env }),
    user: USER,
    hardware: newHardware(),
    faults,
    packages: new Map(),
    aptSources: [],
    dkms: [],
    units: new Map(),
    docker: { images: new Map(), containers: new Map(), starts: 0 },
    journal: [],
    lastPid: 1_200,
    boot: null,
    bootIds: [],
    closing,
    onPowerOff: new Set(),
    locks: new Map(),
    listeners: new Map(),
    work: new Map(),
    firmware: { resizableBar: false, secureBoot: faults.has("secure-boot") },
    slowdownPct: options.slowdownPct ?? 0,
    seed: options.seed ?? 1,
    modelPort: options.modelPort,
  };
}
