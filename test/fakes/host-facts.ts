import type { GpuFacts, HostFacts } from "../../src/probe/host-facts.ts";

/** A host as it is after the A770 playbook; each test states only what differs. */
export function goodFacts(part: Partial<HostFacts> = {}): HostFacts {
  return {
    host: "arc-01",
    readAt: "2026-01-01T00:00:00.000Z",
    os: { id: "ubuntu", versionId: "22.04", prettyName: "Ubuntu 22.04.4 LTS" },
    arch: "amd64",
    bootId: "4b1d7a3e",
    kernel: {
      running: "6.5.0-35-generic",
      installed: ["6.5.0-35-generic", "6.8.0-45-generic"],
      grubDefault: "6.5.0-35-generic",
      i915Path: "/lib/modules/6.5.0-35-generic/updates/dkms/i915.ko",
      headers: true,
      i915Loaded: "dkms",
    },
    secureBoot: "disabled",
    dkms: [
      {
        name: "intel-i915-dkms",
        version: "1.24.2.17.240301.20",
        kernel: "6.5.0-35-generic",
        state: "installed",
        warning: null,
      },
    ],
    packages: {
      "linux-generic-hwe-22.04": { version: "6.8.0-45.45~22.04.1", held: true },
      "intel-i915-dkms": { version: "1.24.2.17.240301.20+i29-1", held: true },
    },
    login: { user: "bench", groups: ["bench", "sudo", "render", "video"], canSudo: true },
    cpu: {
      model: "13th Gen Intel(R) Core(TM) i9-13900K",
      cores: 32,
      driver: "intel_pstate",
      governor: "performance",
      minMhz: 3800,
      maxMhz: 5800,
      hardwareMaxMhz: 5800,
    },
    memoryMiB: 64_000,
    gpus: [goodGpu()],
    renderNodes: ["/dev/dri/renderD128"],
    docker: "24.0.7",
    xpuSmi: "1.2.39",
    gpuProcesses: [],
    firmware: { loaded: ["GuC i915/dg2_guc_70.bin 70.20.0"], problems: [] },
    computeDevices: [{ name: "Intel(R) Arc(TM) A770 Graphics", memoryMiB: null }],
    autoUpgrades: false,
    evidence: { gpus: "0000:03:00.0 Intel Arc A770 16 GB: BAR 2 16384 MiB", kernel: "6.5.0-35-generic" },
    warnings: [],
    ...part,
  };
}

export function goodGpu(part: Partial<GpuFacts> = {}): GpuFacts {
  return {
    bdf: "0000:03:00.0",
    deviceId: "56a0",
    name: "Intel Arc A770 16 GB",
    kind: "discrete",
    driver: "i915",
    vramMiB: 16_288,
    bar2MiB: 16_384,
    bar2Start: "0x6000000000",
    resizableBar: "full",
    above4g: true,
    clock: { path: "/sys/x", minMhz: 2400, maxMhz: 2400, floorMhz: 300, ceilingMhz: 2400 },
    renderNode: "renderD128",
    link: { speedGts: 16, width: 16, maxSpeedGts: 16, maxWidth: 16 },
    throttle: [],
    ...part,
  };
}
