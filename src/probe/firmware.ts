import { type FactReader, read } from "./fact-reader.ts";
import type { FirmwareFacts } from "./host-facts.ts";

/** What the kernel log of this boot says about GPU firmware. Reading the log needs root on Ubuntu. */
export const firmware: FactReader<FirmwareFacts | null> = {
  name: "firmware",
  script: `
log=$(arc_root dmesg 2>/dev/null) && echo complete=yes
printf '%s\\n' "$log" | grep -iE '(i915|xe) .*firmware|firmware load for (i915|xe)/|Unknown symbol|GPU HANG'
true`,
  parse({ text }) {
    if (!/^complete=yes$/m.test(text)) return read(null, null, "GPU firmware unknown: the kernel log needs root");
    const lines = text.split("\n");
    const loaded = [...text.matchAll(/\b(GuC|HuC|DMC) firmware\s+(\S+?\.bin)(?:\s+(?:version\s+|\(v)([\d.]+))?/g)];
    const facts: FirmwareFacts = {
      loaded: [...new Set(loaded.map(([, kind, file, version]) => [kind, file, version].filter(Boolean).join(" ")))],
      problems: lines.filter((line) => PROBLEM.test(line)).map((line) => line.trim()),
    };
    return read(
      facts,
      [...facts.problems, ...facts.loaded].join("\n") || "no line about GPU firmware in this boot's log",
    );
  },
};

const PROBLEM =
  /firmware load for (?:i915|xe)\/\S+ failed|(?:GuC|HuC|DMC)\b.*(?:fail|error)|i915: Unknown symbol|xe: Unknown symbol|GPU HANG/i;
