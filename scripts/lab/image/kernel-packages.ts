import { withRelease } from "./kernel-release.ts";
import type { StandInPackage } from "./package-folder.ts";

/** A kernel of the archive: its ABI number and the version of its packages. */
interface KernelBuild {
  readonly release: string;
  readonly version: string;
}

/** 6.5.0-35 is what the A770 playbook pins; 6.8.0-45 is what runs first; 6.8.0-48 is the update that the metapackages want. */
export const KERNELS: readonly KernelBuild[] = [
  { release: "6.5.0-35-generic", version: "6.5.0-35.35~22.04.1" },
  { release: "6.8.0-45-generic", version: "6.8.0-45.45~22.04.1" },
  { release: "6.8.0-48-generic", version: "6.8.0-48.48~22.04.1" },
];

export interface KernelSources {
  /** The User-mode Linux binary. */
  readonly uml: Buffer;
  /** A compiled i915 stand-in per release, as the kernel itself ships it. */
  readonly inTreeModule: (release: string) => string;
  readonly cpupower: string;
}

/** All packages of one kernel, split as Ubuntu splits them. */
export function kernelPackages({ release, version }: KernelBuild, sources: KernelSources): StandInPackage[] {
  const modules = `/lib/modules/${release}`;
  return [
    {
      name: `linux-image-${release}`,
      version,
      depends: ["kmod", `linux-modules-${release}`],
      description: `Linux kernel image ${release}`,
      // The very file that is booted: User-mode Linux with this release.
      files: { [`/boot/vmlinuz-${release}`]: withRelease(sources.uml, release) },
      scripts: {
        postinst: runHooks("configure", "postinst.d", release, `depmod ${release}`),
        prerm: runHooks("remove", "prerm.d", release),
        postrm: runHooks("remove", "postrm.d", release),
      },
    },
    {
      name: `linux-modules-${release}`,
      version,
      description: `Linux kernel modules of ${release}`,
      files: {
        [`/boot/config-${release}`]: "CONFIG_RD_GZIP=y\nCONFIG_BLK_DEV_INITRD=y\n",
        [`/boot/System.map-${release}`]: "0000000000000000 A stand_in\n",
        [`${modules}/modules.builtin`]: "kernel/fs/ext4/ext4.ko\n",
        [`${modules}/modules.builtin.modinfo`]: "",
        [`${modules}/modules.order`]: "",
      },
    },
    {
      name: `linux-modules-extra-${release}`,
      version,
      depends: [`linux-image-${release}`, `linux-modules-${release}`],
      description: `Linux kernel extra modules of ${release}`,
      files: { [`${modules}/kernel/drivers/gpu/drm/i915/i915.ko`]: { copyOf: sources.inTreeModule(release) } },
      scripts: { postinst: `#!/bin/sh\nset -e\ndepmod ${release}\n` },
    },
    headersPackage(release, version),
    {
      name: `linux-tools-${release}`,
      version,
      depends: ["linux-tools-common", "libcpupower1"],
      description: `Linux kernel tools of ${release}`,
      files: { [`/usr/lib/linux-tools/${release}/cpupower`]: { copyOf: sources.cpupower, executable: true } },
    },
  ];
}

function headersPackage(release: string, version: string): StandInPackage {
  const source = `/usr/src/linux-headers-${release}`;
  return {
    name: `linux-headers-${release}`,
    version,
    depends: ["libc6"],
    description: `Linux kernel headers of ${release}`,
    // What dkms looks for before it builds.
    files: {
      [`${source}/Makefile`]: "# Linux kernel headers\n",
      [`${source}/.config`]: "CONFIG_AUXILIARY_BUS=y\n",
      [`${source}/include/generated/utsrelease.h`]: `#define UTS_RELEASE "${release}"\n`,
      [`/lib/modules/${release}/build`]: { linkTo: source },
    },
    scripts: { postinst: runHooks("configure", "header_postinst.d", release) },
  };
}

/** The metapackages of the hardware enablement kernel for one kernel build. They float: this is what undoes a pin. */
export function hwePackages({ release, version }: KernelBuild): StandInPackage[] {
  const meta = (name: string, depends: string[]): StandInPackage => ({
    name,
    version,
    depends,
    description: "Hardware enablement kernel of Ubuntu 22.04",
  });
  return [
    meta("linux-generic-hwe-22.04", [
      `linux-image-generic-hwe-22.04 (= ${version})`,
      `linux-headers-generic-hwe-22.04 (= ${version})`,
    ]),
    meta("linux-image-generic-hwe-22.04", [`linux-image-${release}`, `linux-modules-extra-${release}`]),
    meta("linux-headers-generic-hwe-22.04", [`linux-headers-${release}`]),
  ];
}

/** A maintainer script that runs the hooks of /etc/kernel, as Ubuntu's kernel packages do: initramfs, dkms, GRUB. */
function runHooks(action: string, hooks: string, release: string, first = "true"): string {
  return `#!/bin/sh
set -e
[ "$1" = ${action} ] || exit 0
${first}
DEB_MAINT_PARAMS="$1" run-parts --report --exit-on-error \\
  --arg=${release} --arg=/boot/vmlinuz-${release} /etc/kernel/${hooks}
`;
}
