import { linesOf } from "./clean-text.ts";
import { type FactReader, read } from "./fact-reader.ts";

/** What the driver said about BAR 2 when it started, by PCI address; "" for lines of old kernels without one. */
export type BarLog = Readonly<Record<string, readonly string[]>>;

/**
 * Lines of this boot's kernel log about the window to a card's memory: they tell why it is small. Texts of i915
 * (drivers/gpu/drm/i915/gt/intel_region_lmem.c) and xe (xe_vram.c). Reading the log needs root on Ubuntu.
 */
export const barLog: FactReader<BarLog> = {
  name: "bar-log",
  script: `
arc_root dmesg 2>/dev/null | grep -iE 'resize (LMEM|VRAM|BAR)|BAR ?2 resized|resize bar|reduced BAR size|Small BAR|LMEM BAR|VRAM BAR|VISIBLE VRAM'
true`,
  parse({ text }) {
    const log: Record<string, string[]> = {};
    for (const line of linesOf(text)) {
      if (!ABOUT_BAR.test(line)) continue;
      const bdf = /\b[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b/i.exec(line)?.[0].toLowerCase() ?? "";
      log[bdf] = [...(log[bdf] ?? []), line.replace(/^\[\s*\d+\.\d+\]\s*/, "").trim()];
    }
    return read(log, Object.values(log).flat().join("\n") || null);
  },
};

const ABOUT_BAR = /resize (?:LMEM|VRAM|BAR)|BAR ?2 resized|resize bar|reduced BAR size|Small BAR|VISIBLE VRAM/i;

/** Why the window is small, in words a person can act on; null when the log gives no reason. */
export function whyBarIsSmall(lines: readonly string[]): string | null {
  if (lines.some((line) => /platform support is missing/i.test(line))) return "the firmware offers no resizing";
  if (lines.some((line) => /Failed to resize.*ENOSPC/i.test(line))) {
    return "the bridge above the card has no room for a larger window (-ENOSPC)";
  }
  return lines.some((line) => /Failed to resize/i.test(line)) ? "the driver could not resize it" : null;
}
