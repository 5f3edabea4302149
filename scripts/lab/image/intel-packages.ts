import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { StandInPackage } from "./package-folder.ts";

const sources = join(import.meta.dirname, "packages");

/**
 * Builds of Intel's out-of-tree driver with the kernels each one compiles on, as `major * 100 + minor`
 * (intel-gpu-i915-backports, file "versions"; the newest does not build on 6.5, the others not on 6.8: ipex-llm#12156).
 */
const DRIVER_BUILDS = [
  { upstream: "1.24.2.17.240301.20", revision: "i29-1", oldestKernel: 515, newestKernel: 605 },
  { upstream: "1.24.3.23.240419.26", revision: "i30-1", oldestKernel: 515, newestKernel: 605 },
  { upstream: "1.25.1.15.250224.31", revision: "i36-1", oldestKernel: 608, newestKernel: 608 },
] as const;

/** Packages of Intel's repository for Ubuntu 22.04 clients. */
export async function intelPackages(): Promise<StandInPackage[]> {
  const drivers = await Promise.all(DRIVER_BUILDS.map(driverPackage));
  return [
    ...drivers,
    firmware("2024.17.5-329~22.04"),
    firmware("2025.13.2-398~22.04"),
    xpuSmi("1.2.39-29~22.04", "xpu-smi-1"),
  ];
}

/** Packages of the newer repository: the rewritten xpu-smi. */
export function intelNextPackages(): StandInPackage[] {
  return [xpuSmi("2.1.0+26.33.6468cec-1~22.04", "xpu-smi-2")];
}

async function driverPackage(build: (typeof DRIVER_BUILDS)[number]): Promise<StandInPackage> {
  const folder = `/usr/src/intel-i915-dkms-${build.upstream}`;
  const source = (name: string) => readFile(join(sources, "intel-i915-dkms", name), "utf8");
  return {
    name: "intel-i915-dkms",
    version: `${build.upstream}+${build.revision}`,
    architecture: "all",
    depends: ["dkms (>= 2.1.0.0)", "gcc", "make", "gawk", "libc6-dev"],
    description: "Out-of-tree i915 driver",
    files: {
      [`${folder}/dkms.conf`]: (await source("dkms.conf")).replace("#MODULE_VERSION#", build.upstream),
      [`${folder}/Makefile`]: await source("Makefile"),
      [`${folder}/i915.c`]: await source("i915.c"),
      [`${folder}/driver.mk`]: `DRIVER_FLAGS = ${driverFlags(build).join(" ")}\n`,
    },
    scripts: {
      postinst: `#!/bin/sh\nset -e\n[ "$1" = configure ] || exit 0\n/usr/lib/dkms/common.postinst intel-i915-dkms ${build.upstream} "" "" "$2"\n`,
      prerm: `#!/bin/sh\nset -e\ncase "$1" in remove | upgrade | deconfigure) dkms remove -m intel-i915-dkms -v ${build.upstream} --all || true ;; esac\n`,
    },
  };
}

/** Compiler flags that make the stand-in source one driver build. */
export function driverFlags(build: { upstream: string; oldestKernel: number; newestKernel: number }): string[] {
  const digits = build.upstream.replaceAll(".", "");
  return [
    `-DDRIVER_VERSION='"${build.upstream.slice(2)}"'`,
    `-DDRIVER_HASH='"${digits.slice(0, 8)}"'`,
    `-DOLDEST_KERNEL=${build.oldestKernel}`,
    `-DNEWEST_KERNEL=${build.newestKernel}`,
  ];
}

function firmware(version: string): StandInPackage {
  const files = ["dg2_dmc_ver2_08.bin", "dg2_guc_70.bin", "dg2_huc_gsc.bin"];
  return {
    name: "intel-fw-gpu",
    version,
    architecture: "all",
    description: "Firmware of Intel graphics cards",
    files: Object.fromEntries(files.map((name) => [`/lib/firmware/i915/${name}`, `${name} of ${version}\n`])),
    scripts: { postinst: "#!/bin/sh\nset -e\nupdate-initramfs -u\n" },
  };
}

function xpuSmi(version: string, script: string): StandInPackage {
  return {
    name: "xpu-smi",
    version,
    depends: ["pciutils"],
    description: "Intel XPU System Management Interface",
    files: { "/usr/bin/xpu-smi": { copyOf: join(sources, script), executable: true } },
  };
}
