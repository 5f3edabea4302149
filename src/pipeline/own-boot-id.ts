import type { World } from "./world.ts";

/** Boot id of the machine this process runs on, so that a run never reboots the ground it stands on. Null off Linux. */
export async function ownBootId({ files }: World): Promise<string | null> {
  return (await files.read("/proc/sys/kernel/random/boot_id"))?.trim() ?? null;
}
