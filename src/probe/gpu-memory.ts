import { type FactReader, read } from "./fact-reader.ts";

/** Memory on each card in MiB, by PCI address, with the line it stands in; "" for a line without an address. */
export type GpuMemory = Readonly<Record<string, { readonly mib: number; readonly line: string }>>;

/** From the kernel log, which needs root: the only source on a host without xpu-smi whose driver has no memory file. */
export const gpuMemory: FactReader<GpuMemory> = {
  name: "gpu-memory",
  script: `
arc_root dmesg 2>/dev/null | grep -E 'Local memory available|VRAM\\[[0-9], [0-9]\\]: Actual physical size'
true`,
  parse({ text }) {
    const found: Record<string, { mib: number; line: string }> = {};
    for (const line of text.split("\n")) {
      const reading = fromKernelLog(line);
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

function fromKernelLog(line: string): { bdf: string; mib: number } | null {
  const size = /(?:Local memory available:|Actual physical size)\s*(0x[0-9a-f]{1,16})/i.exec(line)?.[1];
  if (size === undefined) return null;
  // Old kernels print the line without the card's address; which card it is cannot be told then.
  const bdf = BDF.exec(line)?.[1]?.toLowerCase() ?? "";
  return { bdf, mib: Number(BigInt(size) / 1_048_576n) };
}
