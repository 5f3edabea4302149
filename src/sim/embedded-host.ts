import { hostSpeedOf } from "../sim-machine/hardware.ts";
import { cutPower } from "../sim-machine/power.ts";
import type { HostSpeed } from "../sim-vllm/performance-model.ts";
import { MODEL_FOLDER } from "./disk-image.ts";
import { startSshServer } from "./ssh-server.ts";
import { type MachineOptions, startMachine } from "./start-machine.ts";

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

/** Boots the virtual host and its SSH server. Two of them can run at once; nothing outlives `stop`. */
export async function startEmbeddedHost(options: MachineOptions): Promise<EmbeddedHost> {
  const closing = new AbortController();
  const machine = await startMachine(options, closing.signal);
  const ssh = await startSshServer(machine);
  return {
    address: "127.0.0.1",
    sshPort: ssh.port,
    user: machine.user,
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
