import { linesOf } from "./clean-text.ts";
import { type FactReader, keyValues, read, wholeNumber } from "./fact-reader.ts";
import type { IommuMode } from "./host-facts.ts";

/**
 * Whether DMA of the cards goes through an IOMMU. Devices are in groups when it works; "passthrough" has groups but does
 * not translate (Linux, admin-guide/kernel-parameters: iommu=pt, iommu.passthrough).
 */
export const iommu: FactReader<IommuMode | null> = {
  name: "iommu",
  script: `
IFS= read -r line < "$ARC_ROOT/proc/cmdline" && echo "cmdline=$line"
n=0; for g in "$ARC_ROOT"/sys/kernel/iommu_groups/*; do [ -e "$g" ] && n=$((n + 1)); done
echo "groups=$n"`,
  parse({ text }) {
    const values = keyValues(linesOf(text).join("\n"));
    const groups = wholeNumber(values.get("groups"));
    const commandLine = values.get("cmdline");
    if (groups === null || commandLine === undefined)
      return read(null, null, "IOMMU unknown: /proc/cmdline was not read");
    const words = commandLine.split(" ").filter((word) => word.includes("iommu"));
    const evidence = `${groups} groups in /sys/kernel/iommu_groups; command line: ${words.join(" ") || "nothing about it"}`;
    if (groups === 0) return read("off", evidence);
    const passes = words.some((word) => /^((intel_|amd_)?iommu=(.*,)?pt(,.*)?|iommu\.passthrough=(1|y))$/.test(word));
    return read(passes ? "passthrough" : "on", evidence);
  },
};
