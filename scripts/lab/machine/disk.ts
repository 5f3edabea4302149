import { open, readFile, rm } from "node:fs/promises";
import { $ } from "zx";
import { type BootChoice, chooseBoot, formatEnvironment, parseEnvironment } from "./boot-choice.ts";

const EXT4_BLOCK = 4096;

/**
 * What the boot loader does with the disk of a machine that is off: reads grub.cfg and the environment block, writes the
 * block back when an entry was to be booted once, and copies the kernel out to `kernelPath`.
 */
export async function loadKernel(disk: string, kernelPath: string): Promise<BootChoice> {
  // GRUB would read around a dirty journal; replaying it first means that our write is not undone by it.
  await $`e2fsck -p -E journal_only ${disk}`.nothrow().quiet();
  const environment = parseEnvironment(await read(disk, "/boot/grub/grubenv"));
  const choice = chooseBoot(await read(disk, "/boot/grub/grub.cfg"), environment);
  if (choice.environment.size !== environment.size) {
    await overwrite(disk, "/boot/grub/grubenv", formatEnvironment(choice.environment));
  }
  await rm(kernelPath, { force: true });
  await $`debugfs -R ${`dump ${choice.entry.kernel} ${kernelPath}`} ${disk}`.quiet();
  const magic = (await readFile(kernelPath)).subarray(1, 4).toString();
  if (magic !== "ELF") throw new Error(`Cannot boot "${choice.entry.kernel}": it is no kernel`);
  await $`chmod +x ${kernelPath}`;
  return choice;
}

async function read(disk: string, path: string): Promise<string> {
  return (await $`debugfs -R ${`cat ${path}`} ${disk}`.quiet()).stdout;
}

/** Writes over the first block of a file without touching the file system's own structures, as GRUB does. */
async function overwrite(disk: string, path: string, text: string): Promise<void> {
  const block = Number((await $`debugfs -R ${`bmap ${path} 0`} ${disk}`.quiet()).stdout);
  if (!(block > 0)) throw new Error(`Cannot write "${path}": it has no block on the disk`);
  await using image = await open(disk, "r+");
  await image.write(text, block * EXT4_BLOCK);
}
