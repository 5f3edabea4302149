import type { CpuFacts, GpuFacts, HostFacts } from "../probe/host-facts.ts";

/** What is known about a host, one line per fact; what could not be read is said to be unknown, never left out. */
export function factRows(facts: HostFacts): [fact: string, value: string][] {
  const { os, kernel, cpu, login } = facts;
  return [
    ["OS", os?.prettyName ?? "unknown"],
    ["kernel", `${kernel.running ?? "unknown"}${others(kernel.installed, kernel.running)}`],
    ["next boot", kernel.grubDefault ?? "unknown"],
    ["DKMS", dkmsText(facts)],
    ["Secure Boot", facts.secureBoot ?? "unknown"],
    ["CPU", cpu === null ? "unknown" : `${cpu.model ?? "unknown model"}, ${cpu.cores ?? "?"} cores`],
    ["CPU clock", cpu === null ? "unknown" : cpuClock(cpu)],
    ["memory", facts.memoryMiB === null ? "unknown" : `${Math.round(facts.memoryMiB / 1024)} GiB`],
    ...gpuRows(facts.gpus),
    ["render nodes", facts.renderNodes.join(" ") || "none"],
    ["docker", facts.docker ?? "none"],
    ["login", `${login.user ?? "unknown"} in ${login.groups.join(" ") || "no groups"}, ${sudoText(login.canSudo)}`],
  ];
}

function others(installed: readonly string[], running: string | null): string {
  const rest = installed.filter((release) => release !== running);
  return rest.length === 0 ? "" : ` (installed too: ${rest.join(", ")})`;
}

function dkmsText({ dkms }: HostFacts): string {
  if (dkms === null) return "unknown";
  const modules = dkms.map((m) => `${m.name} ${m.version} ${m.state}${m.kernel === null ? "" : ` for ${m.kernel}`}`);
  return modules.join("; ") || "no modules";
}

function cpuClock(cpu: CpuFacts): string {
  if (cpu.driver === null) return "no cpufreq (a virtual machine, or managed by the BIOS)";
  const boost = cpu.boost === false ? ", boost off" : "";
  return `${cpu.governor ?? "unknown governor"}, ${cpu.minMhz ?? "?"} to ${cpu.maxMhz ?? "?"} MHz (${cpu.driver})${boost}`;
}

function gpuRows(gpus: readonly GpuFacts[]): [string, string][] {
  const discrete = gpus.filter((gpu) => gpu.kind === "discrete");
  if (discrete.length === 0) return [["GPU", "no discrete GPU"]];
  return discrete.map((gpu) => [`GPU ${gpu.bdf.replace(/^0000:/, "")}`, gpuText(gpu)]);
}

function gpuText(gpu: GpuFacts): string {
  const memory = gpu.vramMiB === null ? "unknown memory" : `${Math.round(gpu.vramMiB / 1024)} GiB`;
  const clock = gpu.clock === null ? "clock unknown" : `${gpu.clock.minMhz ?? "?"} to ${gpu.clock.maxMhz ?? "?"} MHz`;
  const bar = `Resizable BAR ${gpu.resizableBar ?? "unknown"}`;
  const firmware = gpu.firmwareVersion == null ? "" : `, firmware ${gpu.firmwareVersion}`;
  return `${gpu.name}, ${memory}, driver ${gpu.driver ?? "none"}, ${clock}, ${bar}${firmware}`;
}

function sudoText(canSudo: boolean | null): string {
  return canSudo === null ? "sudo unknown" : canSudo ? "sudo without a password" : "no sudo without a password";
}
