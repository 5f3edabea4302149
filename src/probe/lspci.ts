import { type FactReader, read } from "./fact-reader.ts";

/** What lspci shows of a card beyond what sysfs has on every kernel. */
export interface LspciGpu {
  /** Largest size that the window can have. Needs root, and an lspci that knows the capability (pciutils 3.7). */
  readonly bar2LargestMiB: number | null;
  /** Maker's name for the board. */
  readonly board: string | null;
  /** The lines about the window. */
  readonly lines: readonly string[];
}

/** By PCI address. Empty without lspci: it is a second source, and the lines that people know from forums. */
export const lspci: FactReader<Readonly<Record<string, LspciGpu>>> = {
  name: "lspci",
  script: `
for class in 0300 0380; do
  { arc_root lspci -Dvv -d "8086::$class" || lspci -Dvv -d "8086::$class"; } 2>/dev/null
done
true`,
  parse({ text }) {
    const found: Record<string, LspciGpu> = {};
    for (const block of text.split(/^(?=(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\s)/im)) {
      const bdf = /^(?:([0-9a-f]{4}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\s/i.exec(block);
      if (bdf) found[`${bdf[1] ?? "0000"}:${bdf[2]}`.toLowerCase()] = gpuOf(block);
    }
    const evidence = Object.entries(found).flatMap(([bdf, { lines }]) => lines.map((line) => `${bdf} ${line}`));
    return read(found, evidence.join("\n") || null);
  },
};

function gpuOf(block: string): LspciGpu {
  const line = (pattern: RegExp) => pattern.exec(block)?.[0].trim().replace(/\s+/g, " ") ?? null;
  const region = line(/^\s*Region 2: .*$/m);
  const sizes = line(/^\s*BAR 2: current size: .*$/m);
  const supported =
    /supported:(.*)$/
      .exec(sizes ?? "")?.[1]
      ?.trim()
      .split(" ") ?? [];
  return {
    bar2LargestMiB: supported.reduce<number | null>(
      (most, size) => Math.max(most ?? 0, mibOf(size) ?? 0) || null,
      null,
    ),
    board: /^\s*Subsystem:\s*(\S.*?)\s*$/m.exec(block)?.[1] ?? null,
    lines: [region, sizes, line(/^\s*Capabilities: <access denied>.*$/m)].filter((text) => text !== null),
  };
}

function mibOf(size: string): number | null {
  const match = /^(\d{1,6})([KMGT])B$/.exec(size);
  const mib = Number(match?.[1]) * ({ K: 1 / 1024, M: 1, G: 1024, T: 1_048_576 }[match?.[2] ?? ""] ?? Number.NaN);
  return Number.isInteger(mib) ? mib : null;
}
