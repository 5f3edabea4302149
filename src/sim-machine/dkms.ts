import { buildsOn } from "./package-catalog.ts";
import { type DkmsEntry, type VirtualMachine, writeJournal } from "./virtual-machine.ts";

/** What one build did, with the lines that dkms prints. */
export interface DkmsBuild {
  readonly outcome: "installed" | "skipped" | "failed";
  readonly lines: readonly string[];
}

/** The version dkms knows a Debian package's module by: without the Debian revision and the internal build. */
export function moduleVersion(packageVersion: string): string {
  return packageVersion.replace(/\+.*$/, "").replace(/-\d+$/, "");
}

export function addModule(machine: VirtualMachine, name: string, version: string): DkmsEntry {
  const known = machine.dkms.find((entry) => entry.name === name && entry.version === version);
  if (known) return known;
  const entry: DkmsEntry = { name, version, installed: new Set() };
  machine.dkms.push(entry);
  return entry;
}

/** Builds and installs a module for one kernel, as `dkms autoinstall` and the package's own script do. */
export async function buildModule(machine: VirtualMachine, entry: DkmsEntry, release: string): Promise<DkmsBuild> {
  if (entry.installed.has(release)) return { outcome: "installed", lines: [] };
  if (!hasHeaders(machine, release)) {
    return {
      outcome: "skipped",
      lines: [
        `Module build for kernel ${release} was skipped since the`,
        "kernel headers for this kernel does not seem to be installed.",
      ],
    };
  }
  const start = [`AUXILIARY_BUS is enabled for ${release}.`, `Building initial module for ${release}`];
  await machine.pause(15_000);
  if (!buildsOn(entry.version, release)) return failedBuild(machine, entry, release, start);

  entry.installed.add(release);
  const module = `/lib/modules/${release}/updates/dkms/i915.ko`;
  machine.disk.addFile(module, "i915 from dkms (simulated)\n");
  return {
    outcome: "installed",
    lines: [
      ...start,
      "Done.",
      "",
      "i915.ko:",
      "Running module version sanity check.",
      " - Original module",
      " - Installation",
      `   - Installing to /lib/modules/${release}/updates/dkms/`,
      "",
      "depmod....",
    ],
  };
}

/** Headers count when the folder that a module build includes from is there. */
export function hasHeaders(machine: VirtualMachine, release: string): boolean {
  return machine.packages.get(`linux-headers-${release}`)?.state === "installed";
}

function failedBuild(
  machine: VirtualMachine,
  { name, version }: DkmsEntry,
  release: string,
  start: readonly string[],
): DkmsBuild {
  const log = `/var/lib/dkms/${name}/${version}/build/make.log`;
  const error = "error: implicit declaration of function 'drm_dp_mst_atomic_check' (simulated)";
  machine.disk.addFile(log, `DKMS make.log for ${name}-${version} for kernel ${release} (x86_64)\n${error}\n`);
  writeJournal(machine, "dkms", `build of ${name} for ${release} failed`, 3);
  return {
    outcome: "failed",
    lines: [
      ...start,
      `Error! Bad return status for module build on kernel: ${release} (x86_64)`,
      `Consult ${log} for more information.`,
    ],
  };
}
