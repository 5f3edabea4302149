import { access, mkdtemp, readFile, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "zx";
import { SUITE } from "../image/recipe.ts";

/** Programs that a lab host needs, with the Debian package that has each. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "linux.uml": "user-mode-linux",
  mmdebstrap: "mmdebstrap",
  "apt-ftparchive": "apt-utils",
  "dpkg-deb": "dpkg",
  gpg: "gnupg",
  "mkfs.ext4": "e2fsprogs",
  debugfs: "e2fsprogs",
  ip: "iproute2",
  ssh: "openssh-client",
  gcc: "gcc",
  systemctl: "systemd",
  unshare: "util-linux",
};
/** User-mode Linux keeps the memory of its guests there: two hosts at a time. */
const SHARED_MEMORY_BYTES = 3 * 1024 ** 3;

/** Throws one sentence that says what is missing when this machine cannot run lab hosts. */
export async function requireLabMachine(): Promise<void> {
  if (process.platform !== "linux" || process.arch !== "x64") throw cannot("it is no x86-64 Linux");
  if (process.getuid?.() !== 0) throw cannot("this is not root");
  const system = await readFile("/etc/os-release", "utf8").catch(() => "");
  if (!new RegExp(`^VERSION_CODENAME=${SUITE}$`, "m").test(system)) {
    throw cannot(`the guest is made of this machine's own packages, and it is not Debian ${SUITE}`);
  }
  for (const [program, name] of Object.entries(PROGRAMS)) {
    if (!(await $`command -v ${program}`.nothrow().quiet()).ok)
      throw cannot(`"${program}" is missing (package ${name})`);
  }
  await access("/dev/net/tun").catch(() => {
    throw cannot("there is no /dev/net/tun, so a guest would have no network");
  });
  const { bavail, bsize } = await statfs("/dev/shm");
  if (bavail * bsize < SHARED_MEMORY_BYTES) throw cannot("/dev/shm has less than 3 GiB, which is the guests' memory");
  await requireUserModeLinux();
}

/** Starts a kernel without a disk: it comes as far as looking for one, unless this machine forbids what it is made of. */
async function requireUserModeLinux(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "arc-lab-try-"));
  try {
    const kernel = $({ timeout: "60s" })`linux.uml mem=64M uml_dir=${folder} con=none con0=null,fd:1 </dev/null`;
    const { stdall } = await kernel.nothrow().quiet();
    if (stdall.includes("Linux version ")) return;
    throw cannot(`User-mode Linux does not start: ${stdall.trim().split("\n").at(-1)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cannot(why: string): Error {
  return new Error(`Cannot run a lab host on this machine: ${why}`);
}
