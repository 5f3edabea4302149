import { gpuModel } from "../probe/gpu-names.ts";
import type { DkmsModule, HostFacts } from "../probe/host-facts.ts";
import { newestFirst } from "../probe/release-order.ts";
import { discreteGpus, type HostRule } from "./requirement.ts";

/** Releases that Intel's GPU packages exist for. */
const SUPPORTED = ["22.04", "24.04"];

export const supportedOs: HostRule = {
  scope: "host",
  want: null,
  judge(facts) {
    const os = facts.os;
    const bSeries = discreteGpus(facts).some((gpu) => gpuModel(gpu.deviceId)?.family === "battlemage");
    const wanted = bSeries ? ["24.04"] : SUPPORTED;
    return {
      holds: os === null ? null : os.id === "ubuntu" && wanted.includes(os.versionId),
      found: os?.prettyName ?? "unknown",
      wanted: `Ubuntu ${wanted.join(" or ")}`,
      evidence: facts.evidence["os-release"] ?? null,
      remedy: bSeries
        ? "Install Ubuntu 24.04: B-series cards need the xe driver of kernel 6.11 or later"
        : "Install Ubuntu 22.04 for A-series cards, or Ubuntu 24.04 for B-series cards",
    };
  },
};

export const kernelRelease: HostRule = {
  scope: "host",
  want: "a kernel release",
  judge: (facts, want) => ({
    holds: facts.kernel.running === null ? null : facts.kernel.running === want,
    found: facts.kernel.running ?? "unknown",
    wanted: want,
    evidence: facts.evidence["kernel"] ?? null,
    remedy: "Apply the playbook, which installs and boots this kernel",
  }),
};

export const kernelAtLeast: HostRule = {
  scope: "host",
  want: "the lowest kernel version that is good enough",
  judge(facts, want) {
    const running = facts.kernel.running;
    const version = running?.split("-")[0] ?? null;
    return {
      holds: version === null ? null : newestFirst(version, want) <= 0,
      found: running ?? "unknown",
      wanted: `${want} or later`,
      evidence: facts.evidence["kernel"] ?? null,
      remedy: "Install a later kernel of the distribution (its hardware enablement kernel) and reboot",
    };
  },
};

/** A kernel update or a changed GRUB default shows only after the next boot; better now than then. */
export const bootsRunningKernel: HostRule = {
  scope: "host",
  want: null,
  judge(facts) {
    const { running, grubDefault } = facts.kernel;
    return {
      holds: running === null || grubDefault === null ? null : running === grubDefault,
      found: `runs ${running ?? "an unknown kernel"}, boots ${grubDefault ?? "an unknown kernel"} next`,
      wanted: "the same kernel after the next boot",
      evidence: facts.evidence["grub-default"] ?? null,
      remedy: "Apply the playbook, which pins the kernel, or set GRUB_DEFAULT by id in /etc/default/grub.d",
    };
  },
};

/** dkms leaves out a build without a word when the headers are missing. */
export const kernelHeaders: HostRule = {
  scope: "host",
  want: null,
  judge: (facts) => ({
    holds: facts.kernel.headers ?? null,
    found: facts.kernel.headers ? "there" : "missing",
    wanted: `headers of ${facts.kernel.running ?? "the running kernel"}`,
    evidence: facts.evidence["kernel"] ?? null,
    remedy: `sudo apt-get install linux-headers-${facts.kernel.running ?? "$(uname -r)"}`,
  }),
};

/** The module must be built for the kernel that runs, not for some kernel. */
export const dkmsModule: HostRule = {
  scope: "host",
  want: "a dkms module",
  judge(facts, want) {
    const modules = facts.dkms?.filter((module) => module.name === want) ?? null;
    const running = facts.kernel.running;
    const mine = modules?.find((module) => module.kernel === running && module.state === "installed") ?? null;
    const clean = mine !== null && !/WARNING/.test(mine.warning ?? "");
    return {
      holds: modules === null || running === null ? null : clean,
      found: modules === null ? "unknown" : modules.map(describeModule).join(", ") || "not known to dkms",
      wanted: `${want} installed for ${running ?? "the running kernel"}`,
      evidence: facts.evidence["dkms"] ?? null,
      remedy:
        modules?.length === 0
          ? `Install the package of ${want} while the kernel it builds on runs`
          : `sudo dkms install -m ${want} -k $(uname -r); the reason of a failure is in /var/lib/dkms/${want}/*/build/make.log`,
    };
  },
};

/** What is loaded is proven by its srcversion: a built module does not drive the card before the next boot. */
export const i915FromDkms: HostRule = {
  scope: "host",
  want: null,
  judge: (facts) => ({
    holds: facts.kernel.i915Loaded == null ? null : facts.kernel.i915Loaded === "dkms",
    found: facts.kernel.i915Loaded ?? "cannot be told",
    wanted: "dkms",
    evidence: facts.kernel.i915Path,
    remedy: "Reboot; when that does not help, look at modinfo -n i915 and rebuild the initramfs (update-initramfs -u)",
  }),
};

export const firmwareLoaded: HostRule = {
  scope: "host",
  want: null,
  judge(facts) {
    const firmware = facts.firmware ?? null;
    const silent = firmware !== null && firmware.loaded.length === 0 && firmware.problems.length === 0;
    return {
      holds: firmware === null || silent ? null : firmware.problems.length === 0,
      found: firmware === null || silent ? "nothing in the log" : (firmware.problems[0] ?? firmware.loaded.join(", ")),
      wanted: "no firmware problem in the kernel log",
      evidence: facts.evidence["firmware"] ?? null,
      remedy: "Install intel-fw-gpu (or linux-firmware), then sudo update-initramfs -u and reboot",
    };
  },
};

export const secureBootOff: HostRule = {
  scope: "host",
  want: null,
  judge: (facts) => ({
    holds: facts.secureBoot === null ? null : facts.secureBoot !== "enabled",
    found: facts.secureBoot ?? "unknown",
    wanted: "disabled, so that a module built by dkms loads",
    evidence: facts.evidence["secure-boot"] ?? null,
    remedy:
      "Disable Secure Boot in the BIOS, or enrol the key at the console: mokutil --import /var/lib/shim-signed/mok/MOK.der",
  }),
};

export const loginGroups: HostRule = {
  scope: "host",
  want: "group names, separated by spaces",
  judge(facts, want) {
    const missing = want.split(/\s+/).filter((group) => !facts.login.groups.includes(group));
    return {
      holds: facts.login.groups.length === 0 ? null : missing.length === 0 || facts.login.user === "root",
      found: facts.login.groups.join(" ") || "unknown",
      wanted: want,
      evidence: facts.evidence["login"] ?? null,
      remedy: `sudo usermod -a -G ${want.replaceAll(" ", ",")} ${facts.login.user ?? "$USER"}, then log in again`,
    };
  },
};

export const cpuGovernor: HostRule = {
  scope: "host",
  want: "a cpufreq governor",
  judge(facts, want) {
    const governor = facts.cpu?.governor ?? null;
    return {
      holds: governor === null ? null : governor === want,
      found: governor ?? "no cpufreq",
      wanted: want,
      evidence: facts.evidence["cpu"] ?? null,
      remedy:
        governor === null
          ? "Clocks are left to the BIOS or to the machine below: set its power profile to performance"
          : "Apply the playbook, or: sudo cpupower frequency-set -g performance",
    };
  },
};

/** Metapackages move to the next kernel by themselves and undo the pin. */
export const noFloatingKernel: HostRule = {
  scope: "host",
  want: null,
  judge(facts) {
    const metas = Object.entries(facts.packages).filter(([name]) => /^linux-(image-|headers-)?generic/.test(name));
    const loose = metas.filter(([, { held }]) => !held).map(([name]) => name);
    const known = Object.keys(facts.packages).length > 0;
    return {
      holds: known ? loose.length === 0 : null,
      found: loose.length === 0 ? "none" : `${loose.join(", ")} not held`,
      wanted: "no kernel metapackage that floats",
      evidence:
        metas.map(([name, { version, held }]) => `${name} ${version}${held ? " (held)" : ""}`).join("\n") || null,
      remedy: known
        ? `sudo apt-mark hold ${loose.join(" ")}`
        : "Packages could not be read: is this a Debian or Ubuntu?",
    };
  },
};

export const noAutoUpgrades: HostRule = {
  scope: "host",
  want: null,
  judge: (facts: HostFacts) => ({
    holds: facts.autoUpgrades == null ? null : !facts.autoUpgrades,
    found: facts.autoUpgrades == null ? "unknown" : facts.autoUpgrades ? "on" : "off",
    wanted: "off on a benchmark host",
    evidence: facts.evidence["auto-upgrades"] ?? null,
    remedy: "sudo systemctl mask --now apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service",
  }),
};

function describeModule({ version, kernel, state, warning }: DkmsModule): string {
  return `${version} ${state}${kernel === null ? "" : ` for ${kernel}`}${warning === null ? "" : ` (${warning})`}`;
}
