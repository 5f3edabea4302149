import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "../sim-machine/stand-in.ts";
import type { VirtualCpu } from "../sim-machine/virtual-machine.ts";

export const cpupowerCommands: Readonly<Record<string, StandIn>> = { cpupower };

/** /usr/bin/cpupower is a wrapper of linux-tools-common: it needs the tools of the running kernel. */
function cpupower({ args, machine, session }: Call): CommandResult {
  const release = machine.boot?.release ?? "";
  if (machine.packages.get(`linux-tools-${release}`)?.state !== "installed") return failed(2, missingTools(release));
  const [command, ...rest] = args.filter((word, at) => word !== "-c" && args[at - 1] !== "-c");
  const { cpu } = machine.hardware;
  if (command === "frequency-info") return ok(frequencyInfo(cpu));
  if (command !== "frequency-set") return failed(1, `Supported commands are:\n\tfrequency-info\n\tfrequency-set`);
  if (session.uid !== 0) return failed(1, "Subcommand frequency-set needs root privileges");
  return frequencySet(cpu, rest);
}

function missingTools(release: string): string {
  const short = release.replace("-generic", "");
  return `WARNING: cpupower not found for kernel ${short}\n\n  You may need to install the following packages for this specific kernel:\n    linux-tools-${release}\n    linux-cloud-tools-${release}\n\n  You may also want to install one of the following packages to keep up to date:\n    linux-tools-generic\n    linux-cloud-tools-generic`;
}

function frequencySet(cpu: VirtualCpu, args: readonly string[]): CommandResult {
  const { options } = splitOptions(args, ["-d", "--min", "-u", "--max", "-g", "--governor", "-f", "--freq"]);
  const setting = `${cpu.policies.map((_, index) => `Setting cpu: ${index}`).join("\n")}\n`;
  const governor = options.get("-g") ?? options.get("--governor");
  const min = options.get("-d") ?? options.get("--min");
  const max = options.get("-u") ?? options.get("--max");
  const wanted = [min, max].map((text) => (text === undefined ? null : parseKhz(text)));
  if (wanted.some((khz) => Number.isNaN(khz))) return failed(234, "invalid or unknown argument");
  const refused =
    options.has("-f") ||
    options.has("--freq") ||
    (governor !== undefined && !/^(performance|powersave)$/.test(governor));
  if (refused) return failed(237, "", `Setting cpu: 0\n${COMMON_ERRORS}`);
  const clamp = (khz: number) => Math.min(cpu.maxKhz, Math.max(cpu.minKhz, khz));
  for (const policy of cpu.policies) {
    if (governor !== undefined) policy.governor = governor;
    if (wanted[1] != null) policy.maxKhz = clamp(wanted[1]);
    if (wanted[0] != null) policy.minKhz = Math.min(policy.maxKhz, clamp(wanted[0]));
  }
  return ok(setting);
}

const COMMON_ERRORS = `Error setting new values. Common errors:
- Do you have proper administration rights? (super-user?)
- Is the governor you requested available and modprobed?
- Trying to set an invalid policy?
- Trying to set a specific frequency, but userspace governor is not available,
   for example because of hardware which cannot be set to a specific frequency
   or because the userspace governor isn't loaded?`;

/** A number alone is in kHz, as in the kernel's files. */
function parseKhz(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(hz|khz|mhz|ghz|thz)?$/i.exec(text);
  const factor =
    { hz: 0.001, khz: 1, mhz: 1_000, ghz: 1_000_000, thz: 1_000_000_000 }[(match?.[2] ?? "khz").toLowerCase()] ?? 1;
  return match ? Math.round(Number(match[1]) * factor) : Number.NaN;
}

function frequencyInfo({ policies: [policy], minKhz, maxKhz }: VirtualCpu): string {
  const ghz = (khz: number) => (khz < 1_000_000 ? `${khz / 1000} MHz` : `${(khz / 1_000_000).toFixed(2)} GHz`);
  return `analyzing CPU 0:
  driver: intel_pstate
  CPUs which run at the same hardware frequency: 0
  CPUs which need to have their frequency coordinated by software: 0
  maximum transition latency:  Cannot determine or is not supported.
  hardware limits: ${ghz(minKhz)} - ${ghz(maxKhz)}
  available cpufreq governors: performance powersave
  current policy: frequency should be within ${ghz(policy?.minKhz ?? minKhz)} and ${ghz(policy?.maxKhz ?? maxKhz)}.
                  The governor "${policy?.governor}" may decide which speed to use
                  within this range.
  current CPU frequency: Unable to call hardware
  current CPU frequency: ${ghz(policy?.minKhz ?? minKhz)} (asserted by call to kernel)
  boost state support:
    Supported: yes
    Active: yes`;
}
