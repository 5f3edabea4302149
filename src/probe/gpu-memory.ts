import { type FactReader, read } from "./fact-reader.ts";

/** Memory on each card in MiB, by PCI address, from xpu-smi and the kernel log, with the line it stands in. */
export type GpuMemory = Readonly<Record<string, { readonly mib: number; readonly line: string }>>;

/**
 * Columns 11 and 16 of `discovery --dump` (PCI address, memory) mean the same in xpu-smi 1.2, 1.3 and 2.x. The kernel
 * log needs root; it is the only source on a host without xpu-smi whose driver has no memory file in sysfs.
 */
export const gpuMemory: FactReader<GpuMemory> = {
  name: "gpu-memory",
  script: `
arc_limit 20 xpu-smi discovery --dump 11,16 2>/dev/null
arc_root dmesg 2>/dev/null | grep -E 'Local memory available|VRAM\\[[0-9], [0-9]\\]: Actual physical size'
true`,
  parse({ text }) {
    const found: Record<string, { mib: number; line: string }> = {};
    for (const line of text.split("\n")) {
      const reading = fromKernelLog(line) ?? fromDump(line);
      // xpu-smi comes first and wins: the kernel log may be of another card order or be cut off.
      if (reading !== null && found[reading.bdf] === undefined)
        found[reading.bdf] = { mib: reading.mib, line: line.trim() };
    }
    return read(
      found,
      Object.values(found)
        .map(({ line }) => line)
        .join("\n") || null,
    );
  },
};

const BDF = /\b([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\b/i;

function fromDump(line: string): { bdf: string; mib: number } | null {
  const size = /\b(\d{3,7}(?:\.\d+)?)\s*(MiB|GiB)\b/i.exec(line);
  const bdf = BDF.exec(line)?.[1]?.toLowerCase();
  if (!size || bdf === undefined || size[1] === undefined) return null;
  return { bdf, mib: Math.round(Number(size[1]) * (/g/i.test(size[2] ?? "") ? 1024 : 1)) };
}

function fromKernelLog(line: string): { bdf: string; mib: number } | null {
  const size = /(?:Local memory available:|Actual physical size)\s*(0x[0-9a-f]{1,16})/i.exec(line)?.[1];
  if (size === undefined) return null;
  // Old kernels print the line without the card's address; which card it is cannot be told then.
  const bdf = BDF.exec(line)?.[1]?.toLowerCase() ?? "";
  return { bdf, mib: Number(BigInt(size) / 1_048_576n) };
}
