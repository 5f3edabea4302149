import { type FactReader, read } from "./fact-reader.ts";
import type { HostFacts } from "./host-facts.ts";

/** Whether the kernel refuses modules that no enrolled key signed: mokutil, else the EFI variable itself. */
export const secureBoot: FactReader<HostFacts["secureBoot"]> = {
  name: "secure-boot",
  script: `
mokutil --sb-state 2>&1
[ -d "$ARC_ROOT/sys/firmware/efi" ] && echo efi=yes || echo efi=no
for f in "$ARC_ROOT"/sys/firmware/efi/efivars/SecureBoot-*; do
  [ -r "$f" ] && echo "variable=$(od -An -t u1 "$f" | tr -s ' \\n' ' ')"
done`,
  parse({ text }) {
    const line = (pattern: RegExp) => pattern.exec(text)?.[0].trim() ?? null;
    // The kernel then behaves as without Secure Boot (drivers/firmware/efi/libstub/secureboot.c reads MokSBState).
    const shim = line(/^.*validation is disabled in shim.*$/im);
    if (shim) return read("disabled", shim);

    const said = /SecureBoot\s+(enabled|disabled)/i.exec(text);
    if (said) return read(said[1]?.toLowerCase() === "enabled" ? "enabled" : "disabled", said[0]);

    const noEfi = line(/^.*EFI variables are not supported.*$/im) ?? line(/^efi=no$/m);
    if (noEfi) return read("not-efi", noEfi);

    const noSupport = line(/^.*doesn't support Secure Boot.*$/im);
    if (noSupport) return read("disabled", noSupport);

    // Four bytes of attributes come first (efivarfs); the last byte is the value.
    const variable = /^variable=.*\b([01])\s*$/m.exec(text);
    if (variable) return read(variable[1] === "1" ? "enabled" : "disabled", variable[0].trim());

    return read(null, null, "Secure Boot unknown: neither mokutil nor the EFI variable could be read");
  },
};
