import { readFile } from "node:fs/promises";

let chosen = Number(process.env["VITEST_POOL_ID"] ?? 0);

/**
 * The processor for the next machine, one after the other; test processes side by side begin with different ones.
 * User-mode Linux stops and wakes its guest's processes at every system call, which is 3 to 5 times as fast when nothing
 * has to move to another processor for it.
 */
export async function chooseCpu(): Promise<number> {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(await readFile("/proc/self/status", "utf8"))?.[1] ?? "0";
  const cpus = parseList(allowed);
  chosen += 1;
  return cpus[chosen % cpus.length] as number;
}

/** The kernel's format of a set: "0-2,7". */
function parseList(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
