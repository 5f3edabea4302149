import { type FactReader, keyValues, type Reading, read } from "./fact-reader.ts";
import { newestFirst } from "./release-order.ts";

export interface KernelReading {
  readonly running: string | null;
  readonly arch: string | null;
  readonly bootId: string | null;
  readonly installed: readonly string[];
  readonly headers: boolean | null;
  readonly i915Path: string | null;
  readonly loaded: "dkms" | "in-tree" | null;
}

/** The running kernel, what /boot holds, and where i915 comes from. Architecture is in Debian's words (amd64). */
export const kernel: FactReader<KernelReading> = {
  name: "kernel",
  script: `
release=$(uname -r)
echo "running=$release"
echo "arch=$(uname -m)"
IFS= read -r v < "$ARC_ROOT/proc/sys/kernel/random/boot_id" && echo "boot_id=$v"
for f in "$ARC_ROOT"/boot/vmlinuz-*; do [ -e "$f" ] && echo "image=\${f##*/vmlinuz-}"; done
[ -d "$ARC_ROOT/lib/modules/$release/build/include" ] && echo headers=yes || echo headers=no
echo "i915_path=$(modinfo -n i915 2>/dev/null)"
echo "i915_srcversion=$(modinfo -F srcversion i915 2>/dev/null)"
IFS= read -r v < "$ARC_ROOT/sys/module/i915/srcversion" && echo "i915_loaded=$v"
true`,
  parse({ text }) {
    const fields = keyValues(text);
    const value = (key: string) => fields.get(key) || null;
    const installed = [...text.matchAll(/^image=(\S+)$/gm)].map((match) => match[1] as string);
    const facts: KernelReading = {
      running: value("running"),
      arch: debianArch(value("arch")),
      bootId: value("boot_id"),
      installed: installed
        .filter((release) => release !== "*")
        .sort(newestFirst)
        .reverse(),
      headers: fields.has("headers") ? fields.get("headers") === "yes" : null,
      i915Path: value("i915_path"),
      loaded: loadedFrom(value("i915_path"), value("i915_srcversion"), value("i915_loaded")),
    };
    const warnings = [
      ...(facts.running === null ? ["Running kernel unknown: uname gave nothing"] : []),
      ...(facts.arch === null ? ["Architecture unknown: uname gave nothing"] : []),
      ...(facts.bootId === null ? ["Boot id unknown: /proc/sys/kernel/random/boot_id could not be read"] : []),
      ...(facts.i915Path === null ? ["No i915 module for the running kernel, or modinfo is missing"] : []),
    ];
    return read(facts, facts.running, ...warnings) satisfies Reading<KernelReading>;
  },
};

/** dkms installs under updates/dkms; the loaded module is proven by its srcversion, not by the path. */
function loadedFrom(path: string | null, onDisk: string | null, loaded: string | null): KernelReading["loaded"] {
  if (path === null || onDisk === null || loaded === null) return null;
  const fromDkms = path.includes("/updates/");
  if (onDisk === loaded) return fromDkms ? "dkms" : "in-tree";
  // Another module is loaded than the one on disk: with a dkms module on disk, the one from before it was installed.
  return fromDkms ? "in-tree" : null;
}

function debianArch(machine: string | null): string | null {
  return machine === null ? null : ({ x86_64: "amd64", aarch64: "arm64" }[machine] ?? machine);
}
