import { chmod, cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "zx";
import { writeHardware } from "./hardware.ts";
import { driverFlags, intelNextPackages, intelPackages } from "./intel-packages.ts";
import { hwePackages, KERNELS, kernelPackages } from "./kernel-packages.ts";
import { writeRepository } from "./package-repository.ts";
import {
  DISABLED_UNITS,
  ENABLED_UNITS,
  FILE_SYSTEM_UUID,
  FIRST_KERNEL,
  LOGIN_USER,
  MASKED_UNITS,
  SILENCED_HOOKS,
} from "./recipe.ts";

const here = import.meta.dirname;

/** Turns the unpacked Debian system in `root` into the lab host as a user would hand it over: the wrong kernel, no driver. */
export async function furnish(root: string, umlKernel: string, authorizedKey: string): Promise<void> {
  await rm(join(root, "etc/apt/sources.list.d"), { recursive: true });
  await mkdir(join(root, "etc/apt/sources.list.d"));
  await cp(join(here, "guest"), root, { recursive: true });
  await $`chown -R root:root ${["etc", "usr/local"].map((path) => join(root, path))}`;
  await chmod(join(root, "etc/sudoers.d/bench"), 0o440);
  await writeHardware(join(root, "usr/local/lib/lab/hardware.d"));
  // mmdebstrap's own settings (no fsync above all) are for building only.
  for (const path of ["etc/apt/apt.conf.d/99mmdebstrap", "etc/dpkg/dpkg.cfg.d/99mmdebstrap"]) {
    await rm(join(root, path), { force: true });
  }
  await addLogins(root, authorizedKey);
  await writeArchives(root, umlKernel);
  await configure(root);
}

async function addLogins(root: string, authorizedKey: string): Promise<void> {
  await inRoot(root, ["useradd", "--create-home", "--shell", "/bin/bash", LOGIN_USER]);
  for (const [user, home] of [
    ["root", "root"],
    [LOGIN_USER, `home/${LOGIN_USER}`],
  ] as const) {
    const folder = join(root, home, ".ssh");
    await mkdir(folder, { mode: 0o700, recursive: true });
    await writeFile(join(folder, "authorized_keys"), authorizedKey, { mode: 0o600 });
    await inRoot(root, ["chown", "-R", `${user}:${user}`, `/${home}/.ssh`]);
  }
}

async function writeArchives(root: string, umlKernel: string): Promise<void> {
  const work = join(tmpdir(), `arc-lab-sources-${process.pid}`);
  await mkdir(work, { recursive: true });
  try {
    const sources = {
      uml: await readFile(umlKernel),
      inTreeModule: (release: string) => join(work, `i915-${release}.ko`),
      cpupower: await takeCpupower(root, work),
    };
    for (const { release } of KERNELS) await compileInTreeModule(release, sources.inTreeModule(release));
    const wrapper = { copyOf: join(here, "packages/cpupower"), executable: true };
    await writeRepository({
      folder: join(root, "srv/archive/ubuntu"),
      origin: "Ubuntu",
      suite: "jammy",
      components: {
        main: [
          ...KERNELS.flatMap((kernel) => kernelPackages(kernel, sources)),
          ...KERNELS.filter(({ release }) => release.startsWith("6.8")).flatMap(hwePackages),
          {
            name: "linux-tools-common",
            version: "5.15.0-122.132",
            architecture: "all",
            description: "Linux kernel version specific tools",
            files: { "/usr/bin/cpupower": wrapper },
          },
        ],
      },
      publicKey: join(root, "usr/share/keyrings/ubuntu-archive-keyring.gpg"),
    });
    await writeRepository({
      folder: join(root, "srv/archive/gpu/ubuntu"),
      origin: "Intel",
      suite: "jammy",
      components: { client: await intelPackages(), unified: intelNextPackages() },
      publicKey: join(root, "srv/archive/gpu/intel-graphics.key"),
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The tool out of the package that the base system downloaded; the package itself is not installed. */
async function takeCpupower(root: string, work: string): Promise<string> {
  const [name] = (await readdir(root)).filter((entry) => entry.startsWith("linux-cpupower_"));
  if (name === undefined) throw new Error("Cannot find the package linux-cpupower in the base system");
  await $`dpkg-deb -x ${join(root, name)} ${join(work, "cpupower")}`;
  await rm(join(root, name));
  return join(work, "cpupower/usr/bin/cpupower");
}

async function compileInTreeModule(release: string, output: string): Promise<void> {
  const flags = driverFlags({ upstream: release, oldestKernel: 0, newestKernel: 9999 }).filter(
    (flag) => !flag.startsWith("-DDRIVER_VERSION"),
  );
  const source = join(here, "packages/intel-i915-dkms/i915.c");
  const kernel = ["-DKERNEL_VERSION=1", `-DKERNEL_RELEASE="${release}"`];
  await $`gcc -c -O1 -o ${output} ${source} ${kernel} ${flags.map((flag) => flag.replaceAll("'", ""))}`;
}

async function configure(root: string): Promise<void> {
  await $`systemctl --root=${root} mask ${MASKED_UNITS}`.quiet();
  await $`systemctl --root=${root} disable ${DISABLED_UNITS}`.quiet();
  await $`systemctl --root=${root} enable ${ENABLED_UNITS}`.quiet();
  await writeFile(join(root, "etc/machine-id"), "0123456789abcdef0123456789abcdef\n");
  await mkdir(join(root, "var/log/journal"), { recursive: true });
  await mkdir(join(root, "boot/grub"), { recursive: true });
  for (const path of SILENCED_HOOKS) await chmod(join(root, path), 0o644);
  await withBuildTimeProbe(root, async () => {
    await inRoot(root, ["grub-editenv", "/boot/grub/grubenv", "create"]);
    await writeFile(join(root, "boot/grub/grub.cfg"), "");
    await inRoot(root, ["apt-get", "-qq", "update"]);
    const version = KERNELS.find(({ release }) => release === FIRST_KERNEL)?.version;
    const metas = ["linux-generic-hwe-22.04", "linux-image-generic-hwe-22.04", "linux-headers-generic-hwe-22.04"];
    const wanted = metas.map((name) => `${name}=${version}`);
    await inRoot(root, ["apt-get", "-qq", "-y", "install", ...wanted, `linux-tools-${FIRST_KERNEL}`]);
  });
}

/** GRUB asks the disk that /boot is on. While the system is a folder there is none, so its answers are given. */
async function withBuildTimeProbe(root: string, work: () => Promise<void>): Promise<void> {
  const probe = join(root, "usr/sbin/grub-probe");
  await rename(probe, `${probe}.real`);
  await writeFile(
    probe,
    `#!/bin/sh
case "$*" in
  *fs_uuid*) echo ${FILE_SYSTEM_UUID} ;;
  *target=fs*) echo ext2 ;;
  *target=device*) echo /dev/ubda ;;
esac
`,
    { mode: 0o755 },
  );
  try {
    await work();
  } finally {
    await rename(`${probe}.real`, probe);
  }
}

async function inRoot(root: string, argv: readonly string[]): Promise<void> {
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };
  await $({ env, quiet: true })`chroot ${root} ${argv}`;
}
