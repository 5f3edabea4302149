import { describe, expect, it } from "vitest";
import type { GpuFacts, HostFacts } from "../../src/probe/host-facts.ts";
import { REQUIREMENTS, type RequirementName } from "../../src/requirements/requirements.ts";
import { goodFacts, goodGpu } from "../fakes/host-facts.ts";

/** Values that a good host meets, for requirements that take one. */
const WANT: Partial<Record<RequirementName, string>> = {
  "gpu-family": "alchemist",
  "kernel-release": "6.5.0-35-generic",
  "kernel-at-least": "6.5",
  "dkms-module": "intel-i915-dkms",
  "gpu-driver": "i915",
  "login-groups": "render video",
  "cpu-governor": "performance",
  "gpu-clock": "2400-2400",
};

function judge(name: RequirementName, facts: HostFacts, want = WANT[name] ?? "") {
  const rule = REQUIREMENTS[name];
  return rule.scope === "host" ? rule.judge(facts, want) : rule.judge(facts, want, facts.gpus[0] as GpuFacts);
}

const names = Object.keys(REQUIREMENTS) as RequirementName[];
const gpu = (part: Partial<GpuFacts>): Partial<HostFacts> => ({ gpus: [goodGpu(part)] });
const kernel = (part: Partial<HostFacts["kernel"]>): Partial<HostFacts> => ({
  kernel: { ...goodFacts().kernel, ...part },
});

interface Case {
  readonly name: RequirementName;
  readonly when: string;
  readonly facts: Partial<HostFacts>;
  readonly holds: boolean | null;
  readonly remedy?: RegExp;
  readonly want?: string;
}

const cases: readonly Case[] = [
  {
    name: "supported-os",
    when: "Debian",
    facts: { os: { id: "debian", versionId: "12", prettyName: "Debian 12" } },
    holds: false,
    remedy: /Ubuntu 22\.04 for A-series/,
  },
  {
    name: "supported-os",
    when: "B-series on 22.04",
    facts: gpu({ deviceId: "e20b" }),
    holds: false,
    remedy: /24\.04.*xe driver of kernel 6\.11/,
  },
  { name: "supported-os", when: "unknown", facts: { os: null }, holds: null },
  { name: "gpu-present", when: "there is none", facts: { gpus: [] }, holds: false, remedy: /seat and power/ },
  { name: "gpu-present", when: "there is only an integrated one", facts: gpu({ kind: "integrated" }), holds: false },
  {
    name: "gpu-family",
    when: "a B580 is in an A-series host",
    facts: gpu({ deviceId: "e20b" }),
    holds: false,
    remedy: /ubuntu-24\.04-bmg/,
  },
  { name: "gpu-family", when: "an A770 is in a B-series host", facts: {}, want: "battlemage", holds: false },
  { name: "gpu-family", when: "the id is not in the table", facts: gpu({ deviceId: "ffff" }), holds: null },
  {
    name: "resizable-bar",
    when: "off",
    facts: gpu({ resizableBar: "off", bar2MiB: 256 }),
    holds: false,
    remedy: /Re-Size BAR.*off and on again/,
  },
  { name: "resizable-bar", when: "partial", facts: gpu({ resizableBar: "partial", bar2MiB: 8192 }), holds: false },
  {
    name: "resizable-bar",
    when: "VRAM is unknown",
    facts: gpu({ resizableBar: null, vramMiB: null }),
    holds: null,
    remedy: /xpu-smi/,
  },
  {
    name: "above-4g",
    when: "the BAR lies low",
    facts: gpu({ above4g: false, bar2Start: "0x80000000" }),
    holds: false,
    remedy: /Above 4G/,
  },
  { name: "above-4g", when: "the BAR has no address", facts: gpu({ above4g: null, bar2Start: null }), holds: null },
  { name: "secure-boot-off", when: "on", facts: { secureBoot: "enabled" }, holds: false, remedy: /mokutil --import/ },
  { name: "secure-boot-off", when: "there is no EFI", facts: { secureBoot: "not-efi" }, holds: true },
  { name: "secure-boot-off", when: "unknown", facts: { secureBoot: null }, holds: null },
  { name: "kernel-release", when: "another runs", facts: kernel({ running: "6.8.0-45-generic" }), holds: false },
  {
    name: "kernel-at-least",
    when: "older",
    facts: kernel({ running: "6.8.0-45-generic" }),
    want: "6.11",
    holds: false,
  },
  { name: "kernel-at-least", when: "newer", facts: kernel({ running: "7.1.2-061" }), want: "6.11", holds: true },
  {
    name: "boots-running-kernel",
    when: "GRUB boots another",
    facts: kernel({ grubDefault: "6.8.0-45-generic" }),
    holds: false,
  },
  { name: "boots-running-kernel", when: "grub.cfg is unreadable", facts: kernel({ grubDefault: null }), holds: null },
  {
    name: "kernel-headers",
    when: "missing",
    facts: kernel({ headers: false }),
    holds: false,
    remedy: /linux-headers-6\.5\.0-35-generic/,
  },
  {
    name: "dkms-module",
    when: "only added",
    facts: { dkms: [{ name: "intel-i915-dkms", version: "1", kernel: null, state: "added", warning: null }] },
    holds: false,
    remedy: /make\.log/,
  },
  {
    name: "dkms-module",
    when: "built for another kernel",
    facts: kernel({ running: "6.8.0-45-generic" }),
    holds: false,
  },
  {
    name: "dkms-module",
    when: "differs from its build",
    facts: {
      dkms: [
        {
          name: "intel-i915-dkms",
          version: "1",
          kernel: "6.5.0-35-generic",
          state: "installed",
          warning: "WARNING! Diff between built and installed module!",
        },
      ],
    },
    holds: false,
  },
  { name: "dkms-module", when: "not installed", facts: { dkms: [] }, holds: false, remedy: /Install the package/ },
  { name: "dkms-module", when: "dkms cannot be asked", facts: { dkms: null }, holds: null },
  {
    name: "i915-from-dkms",
    when: "the in-tree one is loaded",
    facts: kernel({ i915Loaded: "in-tree" }),
    holds: false,
    remedy: /Reboot/,
  },
  { name: "i915-from-dkms", when: "none is loaded", facts: kernel({ i915Loaded: null }), holds: null },
  {
    name: "firmware-loaded",
    when: "a file is missing",
    facts: { firmware: { loaded: [], problems: ["Direct firmware load failed"] } },
    holds: false,
    remedy: /intel-fw-gpu/,
  },
  {
    name: "firmware-loaded",
    when: "the log is silent",
    facts: { firmware: { loaded: [], problems: [] } },
    holds: null,
  },
  { name: "gpu-driver", when: "none is bound", facts: gpu({ driver: null }), holds: false },
  {
    name: "render-node",
    when: "the driver made none",
    facts: gpu({ renderNode: null }),
    holds: false,
    remedy: /dmesg/,
  },
  {
    name: "login-groups",
    when: "one is missing",
    facts: { login: { user: "bench", groups: ["bench", "video"], canSudo: true } },
    holds: false,
    remedy: /usermod -a -G render,video bench/,
  },
  {
    name: "login-groups",
    when: "root needs none",
    facts: { login: { user: "root", groups: ["root"], canSudo: true } },
    holds: true,
  },
  {
    name: "cpu-governor",
    when: "powersave",
    facts: { cpu: { ...(goodFacts().cpu as NonNullable<HostFacts["cpu"]>), governor: "powersave" } },
    holds: false,
  },
  { name: "cpu-governor", when: "there is no cpufreq", facts: { cpu: null }, holds: null, remedy: /BIOS/ },
  {
    name: "gpu-clock",
    when: "free",
    facts: gpu({ clock: { path: "/sys/x", minMhz: 300, maxMhz: 2400, floorMhz: 300, ceilingMhz: 2400 } }),
    holds: false,
  },
  { name: "gpu-clock", when: "more is wanted than the card has", facts: {}, want: "2400-9000", holds: true },
  { name: "gpu-clock", when: "no files", facts: gpu({ clock: null }), holds: null },
  {
    name: "pcie-link",
    when: "half of its width",
    facts: gpu({ link: { speedGts: 16, width: 8, maxSpeedGts: 16, maxWidth: 16 } }),
    holds: false,
    remedy: /slot/,
  },
  {
    name: "pcie-link",
    when: "slower than it can",
    facts: gpu({ link: { speedGts: 8, width: 16, maxSpeedGts: 16, maxWidth: 16 } }),
    holds: false,
  },
  { name: "pcie-link", when: "in a virtual machine", facts: gpu({ link: null }), holds: null, remedy: /virtual/ },
  { name: "no-throttling", when: "hot", facts: gpu({ throttle: ["thermal"] }), holds: false, remedy: /fans/ },
  {
    name: "no-throttling",
    when: "at its power limit",
    facts: gpu({ throttle: ["pl1"] }),
    holds: false,
    remedy: /power limit/,
  },
  {
    name: "compute-devices",
    when: "programs see no card",
    facts: { computeDevices: [] },
    holds: false,
    remedy: /group render/,
  },
  {
    name: "compute-devices",
    when: "the user-mode driver refuses a card without Resizable BAR",
    facts: { computeDevices: [], warnings: ["Resizable BAR not detected for device 0000:03:00.0"] },
    holds: false,
    remedy: /BIOS/,
  },
  {
    name: "compute-devices",
    when: "no tool is installed",
    facts: { computeDevices: null },
    holds: null,
    remedy: /container/,
  },
  { name: "no-throttling", when: "not readable", facts: gpu({ throttle: null }), holds: null },
  {
    name: "no-gpu-processes",
    when: "someone computes",
    facts: { gpuProcesses: [{ pid: 42, command: "python3" }] },
    holds: false,
  },
  { name: "no-gpu-processes", when: "not root", facts: { gpuProcesses: null }, holds: null },
  {
    name: "no-hybrid-graphics",
    when: "both are there",
    facts: { gpus: [goodGpu(), goodGpu({ bdf: "0000:00:02.0", kind: "integrated" })] },
    holds: false,
    remedy: /BIOS/,
  },
  {
    name: "no-floating-kernel",
    when: "a metapackage floats",
    facts: { packages: { "linux-generic-hwe-22.04": { version: "6.8", held: false } } },
    holds: false,
    remedy: /apt-mark hold linux-generic-hwe-22\.04/,
  },
  { name: "no-floating-kernel", when: "packages are unknown", facts: { packages: {} }, holds: null },
  { name: "no-auto-upgrades", when: "on", facts: { autoUpgrades: true }, holds: false, remedy: /systemctl mask/ },
];

describe("requirements", () => {
  it.each(names.map((name) => ({ name })))("$name holds on a good host", ({ name }) => {
    expect(judge(name, goodFacts())).toMatchObject({ holds: true });
  });

  it.each(cases)("$name gives $holds when $when", ({ name, facts, holds, remedy, want }) => {
    const verdict = judge(name, goodFacts(facts), want);
    expect(verdict.holds).toBe(holds);
    expect(verdict.remedy).toMatch(remedy ?? /\w/);
  });

  it.each(names.map((name) => ({ name })))("$name never calls an unread host good or bad", ({ name }) => {
    const unread = goodFacts({
      os: null,
      secureBoot: null,
      dkms: null,
      packages: {},
      cpu: null,
      evidence: {},
      login: { user: null, groups: [], canSudo: null },
      kernel: { running: null, installed: [], grubDefault: null, i915Path: null },
      gpus: [
        goodGpu({
          deviceId: "ffff",
          resizableBar: null,
          above4g: null,
          vramMiB: null,
          bar2MiB: null,
          bar2Start: null,
          clock: null,
          link: null,
          throttle: null,
        }),
      ],
      gpuProcesses: null,
      firmware: null,
      computeDevices: null,
      autoUpgrades: null,
    });
    const known: readonly RequirementName[] = ["gpu-present", "gpu-driver", "render-node", "no-hybrid-graphics"];
    expect(judge(name, unread).holds).toBe(known.includes(name) ? true : null);
  });
});
