import { type FactReader, keyValues, read } from "./fact-reader.ts";
import type { OsFacts } from "./host-facts.ts";

/** Distribution and release, from os-release(5). */
export const osRelease: FactReader<OsFacts | null> = {
  name: "os-release",
  script: 'cat "$ARC_ROOT/etc/os-release" || cat "$ARC_ROOT/usr/lib/os-release"',
  parse({ text }) {
    const fields = keyValues(text);
    const id = fields.get("ID");
    if (!id) return read(null, null, "Operating system unknown: /etc/os-release has no ID");
    const versionId = fields.get("VERSION_ID") ?? "";
    const prettyName = fields.get("PRETTY_NAME") ?? `${id} ${versionId}`.trim();
    return read({ id, versionId, prettyName }, `PRETTY_NAME="${prettyName}"`);
  },
};
