import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** The Debian release under the lab host. It introduces itself as Ubuntu 22.04; apt, dpkg, dkms and GRUB are its own. */
export const SUITE = "bookworm";

/** Installed with their dependencies, without recommendations. */
export const BASE_PACKAGES = [
  "bison",
  "busybox-static",
  "ca-certificates",
  "curl",
  "dbus",
  "dkms",
  "docker.io",
  "flex",
  "gawk",
  "gcc",
  "gnupg",
  "grub-common",
  "grub-pc-bin",
  "grub2-common",
  "initramfs-tools",
  "iproute2",
  "iptables",
  "kmod",
  "less",
  "libc6-dev",
  "libcpupower1",
  "lsb-release",
  "make",
  "mokutil",
  "openssh-server",
  "pciutils",
  "procps",
  "python3-minimal",
  "sudo",
  "systemd-sysv",
] as const;

/** Debian's cpupower; on Ubuntu it comes inside linux-tools-RELEASE, so the stand-in of that package carries it. */
export const CPUPOWER_PACKAGE = "linux-cpupower";

/** Left out of the root file system: not needed by a host that is only provisioned, and half of its size. */
export const EXCLUDED_PATHS = [
  "/usr/share/man/*",
  "/usr/share/doc/*",
  "/usr/share/locale/*",
  "/usr/share/i18n/*",
  "/usr/lib/gcc/*/lto1",
  "/usr/lib/gcc/*/lto-wrapper",
  "/usr/lib/gcc/*/lib*san*",
  "/usr/bin/*lto-dump*",
  "/usr/bin/dnet",
  "/usr/bin/ctr",
  "/usr/lib/grub/i386-pc/*",
] as const;

/** Slow down every boot on a machine without hardware and serve nobody here. */
export const MASKED_UNITS = [
  "apt-daily-upgrade.timer",
  "apt-daily.timer",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
  "fstrim.timer",
  "getty@tty1.service",
  "modprobe@configfs.service",
  "modprobe@dm_mod.service",
  "modprobe@drm.service",
  "modprobe@efi_pstore.service",
  "modprobe@fuse.service",
  "modprobe@loop.service",
  "systemd-networkd.service",
  "systemd-networkd.socket",
  "systemd-udev-trigger.service",
] as const;

/** Parts of update-grub and update-initramfs that have nothing to do here and take most of their time. */
export const SILENCED_HOOKS = [
  ...["05_debian_theme", "20_linux_xen", "30_os-prober", "30_uefi-firmware"].map((name) => `etc/grub.d/${name}`),
  ...["dmsetup", "fsck", "keymap", "klibc-utils", "resume", "thermal", "udev", "zz-busybox"].map(
    (name) => `usr/share/initramfs-tools/hooks/${name}`,
  ),
];

/** Docker is started by its socket, or by a unit that needs it: boots without it stay short. */
export const DISABLED_UNITS = ["docker.service", "containerd.service"] as const;
export const ENABLED_UNITS = ["lab-hardware.service", "lab-network.service", "lab-archive.service"] as const;

export const FILE_SYSTEM_UUID = "6f7b3a52-9d0e-4c53-8a4b-1f2d3c4b5a69";
export const DISK_SIZE = "4G";
export const LOGIN_USER = "bench";

/** What the running system was installed with; the playbook has to leave it. */
export const FIRST_KERNEL = "6.8.0-45-generic";

/** Names the cached root file system: it only depends on Debian's packages. */
export function baseHash(): string {
  return shortHash([SUITE, ...BASE_PACKAGES, CPUPOWER_PACKAGE, ...EXCLUDED_PATHS]);
}

/** Names the cached disk image: it depends on every file of this folder and on the User-mode Linux kernel. */
export async function imageHash(umlKernel: string): Promise<string> {
  const folder = import.meta.dirname;
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const texts = await Promise.all(names.map((name) => readFile(name)));
  return shortHash([
    baseHash(),
    ...names.map((name) => name.slice(folder.length)),
    ...texts,
    await readFile(umlKernel),
  ]);
}

function shortHash(parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 16);
}
