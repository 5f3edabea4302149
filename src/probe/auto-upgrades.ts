import { type FactReader, read } from "./fact-reader.ts";

/** Whether the host upgrades packages by itself: it may change the kernel, or hold dpkg's lock, at any moment. */
export const autoUpgrades: FactReader<boolean | null> = {
  name: "auto-upgrades",
  script: `
for f in "$ARC_ROOT"/etc/apt/apt.conf.d/*; do [ -r "$f" ] && grep 'APT::Periodic::Unattended-Upgrade ' "$f"; done
echo "timer=$(systemctl is-enabled apt-daily-upgrade.timer 2>/dev/null)"
[ -e "$ARC_ROOT/usr/bin/unattended-upgrade" ] && echo program=yes || echo program=no`,
  parse({ text }) {
    if (/^program=no$/m.test(text)) return read(false, "unattended-upgrade is not installed");
    if (!/^program=yes$/m.test(text))
      return read(null, null, "Automatic upgrades unknown: their settings were not read");
    const setting = [...text.matchAll(/APT::Periodic::Unattended-Upgrade\s+"?([^";\s]+)"?/g)].at(-1);
    const timer = /^timer=(\S+)$/m.exec(text)?.[1] ?? "unknown";
    const off = setting === undefined || setting[1] === "0" || timer === "masked" || timer === "disabled";
    return read(!off, `${setting?.[0] ?? "Unattended-Upgrade not set"}; apt-daily-upgrade.timer ${timer}`);
  },
};
