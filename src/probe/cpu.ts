import { type FactReader, read, wholeNumber } from "./fact-reader.ts";
import type { CpuFacts } from "./host-facts.ts";

/** CPU model and its frequency policies. Several policies (hybrid CPUs) give the widest window and every governor. */
export const cpu: FactReader<CpuFacts | null> = {
  name: "cpu",
  script: `
while read -r line; do
  case $line in "model name"*) echo "$line"; break;; esac
done < "$ARC_ROOT/proc/cpuinfo"
echo "cores=$(nproc)"
for p in "$ARC_ROOT"/sys/devices/system/cpu/cpufreq/policy*; do
  for f in scaling_driver scaling_governor scaling_min_freq scaling_max_freq cpuinfo_max_freq; do
    [ -r "$p/$f" ] && IFS= read -r v < "$p/$f" && echo "$f=$v"
  done
done
IFS= read -r v < "$ARC_ROOT/sys/devices/system/cpu/intel_pstate/no_turbo" && echo "no_turbo=$v"
IFS= read -r v < "$ARC_ROOT/sys/devices/system/cpu/cpufreq/boost" && echo "boost=$v"
if command -v cpupower >/dev/null; then cpupower frequency-info 2>&1; fi
true`,
  parse({ text }) {
    const model = /^model name\s*:\s*(.+?)\s*$/m.exec(text)?.[1] ?? null;
    const cores = wholeNumber(/^cores=(\d+)/m.exec(text)?.[1]);
    const values = (name: string) => [...text.matchAll(new RegExp(`^${name}=(.+)$`, "gm"))].map((m) => m[1] as string);
    const mhz = (name: string) => values(name).flatMap((khz) => mhzOf(wholeNumber(khz)));
    const drivers = distinct(values("scaling_driver"));
    const governors = distinct(values("scaling_governor"));
    if (model === null && cores === null && drivers.length === 0) {
      return read(null, null, "CPU unknown: neither /proc/cpuinfo nor cpufreq could be read");
    }
    const facts: CpuFacts = {
      model,
      cores,
      driver: drivers.join("+") || null,
      governor: governors.join("+") || null,
      minMhz: extreme(Math.min, mhz("scaling_min_freq")),
      maxMhz: extreme(Math.max, mhz("scaling_max_freq")),
      hardwareMaxMhz: extreme(Math.max, mhz("cpuinfo_max_freq")),
      boost: boostOf(text),
    };
    const warnings =
      facts.driver === null ? ["CPU clocks unknown: no cpufreq (virtual machine, or left to the BIOS)"] : [];
    const clocks = `${facts.driver} ${facts.governor} ${facts.minMhz}-${facts.maxMhz} MHz, hardware ${facts.hardwareMaxMhz} MHz`;
    return read(facts, facts.driver === null ? "no cpufreq" : clocks, ...warnings);
  },
};

/** MemTotal in MiB. */
export const memory: FactReader<number | null> = {
  name: "memory",
  script:
    'while read -r line; do case $line in MemTotal:*) echo "$line"; break;; esac; done < "$ARC_ROOT/proc/meminfo"',
  parse({ text }) {
    const match = /^MemTotal:\s*(\d+)\s*kB/m.exec(text);
    if (!match) return read(null, null, "Memory size unknown: /proc/meminfo has no MemTotal");
    return read(Math.floor(Number(match[1]) / 1024), match[0]);
  },
};

/**
 * intel_pstate says the opposite of what acpi-cpufreq and amd-pstate say; cpupower knows drivers that have neither file.
 * It says "no" to everything where it finds no driver.
 */
function boostOf(text: string): boolean | null {
  const flag = /^(no_turbo|boost)=([01])\s*$/m.exec(text);
  if (flag) return (flag[2] === "1") === (flag[1] === "boost");
  if (/no or unknown cpufreq driver/i.test(text)) return null;
  const active = /boost state support:[\s\S]*?\bActive:\s*(yes|no)/i.exec(text)?.[1];
  return active === undefined ? null : active.toLowerCase() === "yes";
}

function mhzOf(khz: number | null): number[] {
  return khz === null ? [] : [Math.round(khz / 1000)];
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values.map((value) => value.trim()).filter(Boolean))].sort();
}

function extreme(pick: (...values: number[]) => number, values: readonly number[]): number | null {
  return values.length === 0 ? null : pick(...values);
}
