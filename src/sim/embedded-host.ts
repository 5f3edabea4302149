import type { Clock } from "../ports/clock.ts";
import { runArgv } from "./bash-session.ts";
import { furnishMachine, MODEL_FOLDER, newDisk } from "./disk-image.ts";
import { hostSpeedOf, newHardware } from "./hardware.ts";
import type { HostSpeed } from "./performance-model.ts";
import { bootMachine, cutPower } from "./power.ts";
import { startSshServer } from "./ssh-server.ts";
import type { Fault, VirtualMachine } from "./virtual-machine.ts";

export interface EmbeddedHostOptions {
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

/** A running virtual host with two Arc A770s, in the bad state that users report. Everything it says is simulated. */
export interface EmbeddedHost {
  readonly address: "127.0.0.1";
  readonly sshPort: number;
  readonly user: string;
  readonly privateKey: string;
  readonly hostKeySha256: string;
  /** Folder on the host that holds the models, for example Meta-Llama-3.1-8B-Instruct. */
  readonly modelFolder: string;
  readonly image: string;
  /** Kernel that runs; null while the host is off. */
  kernel(): string | null;
  bootCount(): number;
  speedState(): HostSpeed;
  readFile(path: string): Promise<string | null>;
  containers(): readonly { readonly name: string; readonly status: string; readonly exitCode: number }[];
  /** Changes a BIOS setting; it counts from the next boot on. */
  setFirmware(settings: { readonly resizableBar?: boolean; readonly secureBoot?: boolean }): void;
  /** Makes servers that start from now on decode slower by this much. */
  setSlowdown(pct: number): void;
  stop(): Promise<void>;
}

const USER = "arc";
const DEFAULT_SPEED = 30;

/** Boots the virtual host and its SSH server. Two of them can run at once; nothing outlives `stop`. */
export async function startEmbeddedHost(options: EmbeddedHostOptions): Promise<EmbeddedHost> {
  const closing = new AbortController();
  const machine = newMachine(options, closing.signal);
  await furnishMachine(machine);
  await bootMachine(machine);
  const ssh = await startSshServer(machine);
  return {
    address: "127.0.0.1",
    sshPort: ssh.port,
    user: USER,
    privateKey: ssh.privateKey,
    hostKeySha256: ssh.hostKeySha256,
    modelFolder: MODEL_FOLDER,
    image: "intelanalytics/ipex-llm-serving-xpu:0.8.3-b19",
    kernel: () => machine.boot?.release ?? null,
    bootCount: () => machine.bootIds.length,
    speedState: () => hostSpeedOf(machine),
    readFile: (path) => machine.disk.readText(path),
    containers: () =>
      [...machine.docker.containers.values()].map(({ name, status, exitCode }) => ({ name, status, exitCode })),
    setFirmware: (settings) => Object.assign(machine.firmware, settings),
    setSlowdown: (pct) => {
      machine.slowdownPct = pct;
    },
    async stop() {
      closing.abort();
      const ends = [...machine.docker.containers.values()].map(({ ended }) => ended);
      cutPower(machine);
      await Promise.all([ssh.close(), ...ends]);
    },
  };
}

function newMachine(options: EmbeddedHostOptions, closing: AbortSignal): VirtualMachine {
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
    boot: null,
    bootIds: [],
    closing,
    onPowerOff: new Set(),
    listeners: new Map(),
    firmware: { resizableBar: false, secureBoot: faults.has("secure-boot") },
    slowdownPct: options.slowdownPct ?? 0,
    seed: options.seed ?? 1,
    modelPort: options.modelPort,
  };
}
