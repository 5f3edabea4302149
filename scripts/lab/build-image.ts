/**
 * Builds the disk image of the lab host, or finds it in .cache/lab, and prints its folder.
 * Needs root and the packages user-mode-linux mmdebstrap apt-utils gnupg e2fsprogs gcc openssh-client.
 */
import { createHash } from "node:crypto";
import { access, copyFile, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { $ } from "zx";
import { baseSystem } from "./image/base-system.ts";
import { DISK_SIZE, FILE_SYSTEM_UUID, imageHash } from "./image/recipe.ts";
import { furnish } from "./image/root-file-system.ts";

const cache = resolve(import.meta.dirname, "../../.cache/lab");

export interface LabImage {
  /** The pristine disk; copy it before use. */
  readonly disk: string;
  /** Private key of root and of the login user, in OpenSSH's format. */
  readonly privateKey: string;
  /** The guest's public host key (type and key), and its fingerprint as ssh-keygen prints it: SHA256:… */
  readonly hostKey: string;
  readonly hostKeySha256: string;
}

/** One image per recipe; only the newest is kept. */
export async function buildLabImage(say: (line: string) => void = () => {}): Promise<LabImage> {
  const umlKernel = (await $`which linux.uml`).stdout.trim();
  const folder = join(cache, `image-${await imageHash(umlKernel)}`);
  if (!(await exists(folder))) await build(folder, umlKernel, say);
  const [type = "", key = ""] = (await readFile(join(folder, "host-key.pub"), "utf8")).split(" ");
  return {
    disk: join(folder, "disk.img"),
    privateKey: await readFile(join(folder, "id_ed25519"), "utf8"),
    hostKey: `${type} ${key}`,
    hostKeySha256: `SHA256:${createHash("sha256").update(Buffer.from(key, "base64")).digest("base64").replace(/=+$/, "")}`,
  };
}

async function build(folder: string, umlKernel: string, say: (line: string) => void): Promise<void> {
  const startedMs = performance.now();
  const step = (what: string) => say(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${what}`);
  await mkdir(cache, { recursive: true });
  // Named like a lab host, so that what an interrupted build leaves is swept away with theirs.
  const work = join(cache, `arc-lab-${process.pid}-0`);
  const root = join(work, "root");
  await mkdir(root, { recursive: true });

  step("root file system");
  const tar = await baseSystem(cache);
  await $`tar -C ${root} -xf ${tar}`;

  step("packages and settings");
  await $`ssh-keygen -q -t ed25519 -N ${""} -C lab -f ${join(work, "id_ed25519")}`;
  await furnish(root, umlKernel, await readFile(join(work, "id_ed25519.pub"), "utf8"));
  await makeHostKey(root, join(work, "host-key.pub"));

  step("disk image");
  const disk = join(work, "disk.img");
  await $`truncate -s ${DISK_SIZE} ${disk}`;
  await $`mkfs.ext4 -q -U ${FILE_SYSTEM_UUID} -d ${root} ${disk}`;
  await rm(root, { recursive: true });
  await $`find ${cache} -maxdepth 1 -name ${"image-*"} -exec rm -rf {} +`;
  await rename(work, folder);
  step("done");
}

async function makeHostKey(root: string, publicKey: string): Promise<void> {
  const folder = join(root, "etc/ssh");
  for (const name of await readdir(folder)) if (name.startsWith("ssh_host_")) await rm(join(folder, name));
  const key = join(folder, "ssh_host_ed25519_key");
  await $`ssh-keygen -q -t ed25519 -N ${""} -C arc-lab -f ${key}`;
  await copyFile(`${key}.pub`, publicKey);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

if (process.argv[1] === import.meta.filename) {
  const image = await buildLabImage((line) => console.log(line));
  console.log(image.disk);
}
