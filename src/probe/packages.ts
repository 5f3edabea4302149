import { linesOf } from "./clean-text.ts";
import { type FactReader, read } from "./fact-reader.ts";
import type { PackageFacts } from "./host-facts.ts";

/** Installed packages that decide how a GPU host behaves, with their holds. */
export const packages: FactReader<Readonly<Record<string, PackageFacts>>> = {
  name: "packages",
  script: `
dpkg-query -W -f='\${Package}\\t\${Version}\\t\${db:Status-Abbrev}\\n' \\
  'linux-image-*' 'linux-headers-*' 'linux-modules-extra-*' 'linux-tools-*' 'linux-generic*' linux-firmware \\
  dkms 'intel-i915-dkms' 'intel-fw-gpu' 'intel-level-zero-gpu' 'libze-intel-gpu1' 'level-zero' 'libze1' \\
  'intel-opencl-icd' xpu-smi docker.io docker-ce unattended-upgrades needrestart 2>/dev/null
[ "$?" -le 1 ]`,
  parse({ text, exitCode }) {
    const lines = linesOf(text);
    const found: Record<string, PackageFacts> = {};
    for (const line of lines) {
      const [name, version, status] = line.split("\t");
      // The second letter is what is, the first what is wanted: "ii", or "hi" for a package on hold.
      if (!name || !version || !/^[a-z]i/.test(status?.trim() ?? "")) continue;
      found[name] = { version, held: status?.startsWith("h") === true };
    }
    if (exitCode !== 0) return read(found, null, "Packages unknown: dpkg-query could not be run");
    const names = Object.keys(found);
    return read(found, names.map((name) => `${name} ${found[name]?.version}`).join("\n") || null);
  },
};
