import { randomBytes } from "node:crypto";
import { expectOk } from "../core/expect-ok.ts";
import type { Script } from "../core/script.ts";
import type { Clock } from "../ports/clock.ts";
import type { Shell } from "../ports/shell.ts";
import { autoUpgrades } from "./auto-upgrades.ts";
import { barLog } from "./bar-log.ts";
import { renderBatch, type Section, splitBatch } from "./batch.ts";
import { COMPUTE_DEVICES_START, computeDevices } from "./compute-devices.ts";
import { cpu, memory } from "./cpu.ts";
import { dkms } from "./dkms.ts";
import type { FactReader, Reading, SectionOutput } from "./fact-reader.ts";
import { firmware } from "./firmware.ts";
import { gpuFacts } from "./gpu-facts.ts";
import { gpuMemory } from "./gpu-memory.ts";
import { gpuProcesses } from "./gpu-processes.ts";
import { gpus } from "./gpus.ts";
import { grubDefault } from "./grub-default.ts";
import type { HostFacts } from "./host-facts.ts";
import { iommu } from "./iommu.ts";
import { kernel } from "./kernel.ts";
import { login } from "./login.ts";
import { lspci } from "./lspci.ts";
import { osRelease } from "./os-release.ts";
import { packages } from "./packages.ts";
import { renderNodes } from "./render-nodes.ts";
import { secureBoot } from "./secure-boot.ts";
import { docker } from "./tools.ts";
import { XPU_SMI_START, xpuSmi } from "./xpu-smi.ts";

/** Every fact that a probe reads, in the order in which the host is asked. */
export const FACT_READERS = [
  osRelease,
  kernel,
  grubDefault,
  secureBoot,
  dkms,
  packages,
  login,
  cpu,
  memory,
  gpus,
  gpuMemory,
  barLog,
  lspci,
  renderNodes,
  gpuProcesses,
  firmware,
  autoUpgrades,
  iommu,
  docker,
  computeDevices,
  xpuSmi,
] as const satisfies readonly FactReader<unknown>[];

/** What `factsOf` reads, to be asked in a batch that begins with FACT_PRELUDE. */
export const FACT_SECTIONS: readonly Section[] = FACT_READERS.map(({ name, script }) => ({ name, text: script }));

export interface ProbeOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Folder that stands for / on the host; empty on every real host. */
  readonly root?: string;
}

/**
 * Reads every fact in one round trip and changes nothing. A command that is missing makes its fact null with a warning.
 * Throws HOST_CONNECTION_LOST, COMMAND_TIMED_OUT or COMMAND_FAILED when the host could not be asked at all.
 */
export async function probeHost(shell: Shell, clock: Clock, options: ProbeOptions = {}): Promise<HostFacts> {
  const mark = `arc-vllm-${randomBytes(12).toString("hex")}`;
  const script = probeScript(mark, options.root ?? "");
  const result = await shell.run(script, {
    timeoutMs: options.timeoutMs ?? 120_000,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  expectOk(shell.host, script, result);
  return factsOf(shell.host, clock.isoNow(), splitBatch(result.stdout, mark));
}

/** The batch that asks for every fact. */
export function probeScript(mark: string, root: string): Script {
  const batch = renderBatch(FACT_SECTIONS, mark, FACT_PRELUDE);
  return { name: "read the facts", text: batch.text, env: { ...batch.env, ARC_ROOT: root } };
}

/** Pure second half of a probe: the sections' output to facts. */
export function factsOf(host: string, readAt: string, outputs: ReadonlyMap<string, SectionOutput>): HostFacts {
  const evidence: Record<string, string> = {};
  const warnings: string[] = [];
  const keep = <T>(name: string, reading: Reading<T>): T => {
    if (reading.evidence !== null) evidence[name] = reading.evidence;
    warnings.push(...reading.warnings);
    return reading.value;
  };
  const value = <T>(reader: FactReader<T>): T =>
    keep(reader.name, reader.parse(outputs.get(reader.name) ?? { text: "", exitCode: null }));

  const smi = value(xpuSmi);
  const { running, arch, bootId, installed, headers, i915Path, loaded } = value(kernel);
  return {
    host,
    readAt,
    os: value(osRelease),
    arch,
    bootId,
    kernel: { running, installed, grubDefault: value(grubDefault).release, i915Path, headers, i915Loaded: loaded },
    secureBoot: value(secureBoot),
    dkms: value(dkms),
    packages: value(packages),
    login: value(login),
    cpu: value(cpu),
    memoryMiB: value(memory),
    gpus: keep(
      "gpus",
      gpuFacts(value(gpus), {
        memory: value(gpuMemory),
        barLog: value(barLog),
        xpuSmi: smi.gpus,
        lspci: value(lspci),
      }),
    ),
    renderNodes: value(renderNodes),
    docker: value(docker),
    xpuSmi: smi.version,
    gpuProcesses: value(gpuProcesses),
    firmware: value(firmware),
    computeDevices: value(computeDevices),
    autoUpgrades: value(autoUpgrades),
    iommu: value(iommu),
    evidence,
    warnings,
  };
}

/**
 * What fragments may use: arc_root (as root if possible) and arc_limit (seconds), since a tool that hangs (xpu-smi on a
 * wedged GPU) must cost one fact and not the probe. Tools that take a second each run beside everything else.
 */
export const FACT_PRELUDE = `
arc_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
arc_limit() {
  if command -v timeout >/dev/null; then timeout "$@"; else shift; "$@"; fi
}
${XPU_SMI_START}${COMPUTE_DEVICES_START}`;
