import { describe, expect, it } from "vitest";
import { gpuFacts } from "../../src/probe/gpu-facts.ts";
import type { PciGpu } from "../../src/probe/gpus.ts";
import type { XpuSmiGpu } from "../../src/probe/xpu-smi.ts";

const GIB = 1024n ** 3n;

/** A healthy A770 with 16 GB; each test states only what differs. */
function card(part: Partial<PciGpu> = {}): PciGpu {
  return {
    bdf: "0000:03:00.0",
    deviceId: "56a0",
    driver: "i915",
    bar2: { start: 0x60_0000_0000n, bytes: 16n * GIB },
    bar2LargestMiB: 16_384,
    vramBytes: null,
    renderNode: "renderD128",
    clock: { path: "/sys/x", minMhz: 300, maxMhz: 2400, floorMhz: 300, ceilingMhz: 2400 },
    throttle: [],
    link: null,
    powerCapW: 190,
    ...part,
  };
}

function concluded(part: Partial<PciGpu>, vramMiB?: number) {
  const memory = vramMiB === undefined ? {} : { "0000:03:00.0": { mib: vramMiB, line: "told" } };
  const reading = gpuFacts([card(part)], { memory });
  return { ...reading.value[0], warnings: reading.warnings };
}

const bar = (gib: bigint, start = 0x60_0000_0000n) => ({ start, bytes: gib * GIB });
const small = { start: 0x18_0000_0000n, bytes: 256n * 1024n * 1024n };

describe("gpuFacts()", () => {
  it.each([
    { name: "full on a 16 GB card", gpu: {}, vram: 16_288, want: "full" },
    { name: "full on an 8 GB card", gpu: { bar2: bar(8n), bar2LargestMiB: 8192 }, vram: 8096, want: "full" },
    { name: "partial when 8 GiB of a 16 GB card show", gpu: { bar2: bar(8n) }, vram: 16_288, want: "partial" },
    { name: "off when 256 MiB show", gpu: { bar2: small }, vram: 16_288, want: "off" },
    { name: "off when 256 MiB show and VRAM is unknown", gpu: { bar2: small, bar2LargestMiB: null }, want: "off" },
    { name: "full on a B580, whose BAR is larger than its memory", gpu: { deviceId: "e20b" }, want: "full" },
    { name: "full on an unknown model at the largest BAR", gpu: { deviceId: "ffff" }, want: "full" },
    { name: "unknown when nothing says how large VRAM is", gpu: { bar2: bar(8n), bar2LargestMiB: null }, want: null },
    { name: "unknown when the BAR has no address", gpu: { bar2: null }, vram: 16_288, want: null },
  ])("calls Resizable BAR $name", ({ gpu, vram, want }) => {
    expect(concluded(gpu, vram).resizableBar).toBe(want);
  });

  it.each([
    { name: "what xpu-smi or the kernel log says", gpu: { vramBytes: 8n * GIB }, told: 16_288, want: 16_288 },
    { name: "the driver's file", gpu: { vramBytes: 0x3fa000000n }, want: 16_288 },
    { name: "the only size of the model", gpu: { deviceId: "56a1", bar2: small, bar2LargestMiB: null }, want: 8192 },
    { name: "the largest BAR of an 8 GB A770", gpu: { bar2: small, bar2LargestMiB: 8192 }, want: 8192 },
    { name: "a 16 GiB BAR of an A770", gpu: { bar2LargestMiB: null }, want: 16_384 },
    { name: "nothing when an A770 shows 8 GiB only", gpu: { bar2: bar(8n), bar2LargestMiB: null }, want: null },
  ])("takes VRAM from $name", ({ gpu, told, want }) => {
    expect(concluded(gpu, told).vramMiB).toBe(want);
  });

  it("says why VRAM is unknown instead of guessing", () => {
    const { warnings } = concluded({ bar2: bar(8n), bar2LargestMiB: null });
    expect(warnings).toEqual([expect.stringContaining("VRAM of GPU 0000:03:00.0 unknown")]);
  });

  it("tells the two sizes of the A770 apart by name", () => {
    expect([concluded({}, 16_288).name, concluded({ bar2: bar(8n) }, 8096).name]).toEqual([
      "Intel Arc A770 16 GB",
      "Intel Arc A770 8 GB",
    ]);
  });

  it("reads Above 4G from where the BAR lies", () => {
    expect(concluded({ bar2: bar(1n, 0x8000_0000n) }).above4g).toBe(false);
    expect(concluded({}).above4g).toBe(true);
    expect(concluded({ bar2: null }).above4g).toBeNull();
  });

  it("does not judge integrated graphics", () => {
    const gpu = concluded({ bdf: "0000:00:02.0", deviceId: "a780", bar2: small, clock: null });
    expect(gpu).toMatchObject({ kind: "integrated", resizableBar: null, above4g: null, vramMiB: null, warnings: [] });
  });

  it("knows a card that was passed through to bus 0 of a guest", () => {
    expect(concluded({ bdf: "0000:00:05.0" }).kind).toBe("discrete");
  });

  it("uses a kernel log line without an address only when there is one card", () => {
    const memory = { "": { mib: 16_288, line: "[drm] Local memory available" } };
    const two = [
      card({ bar2LargestMiB: null, bar2: bar(8n) }),
      card({ bdf: "0000:07:00.0", bar2LargestMiB: null, bar2: bar(8n) }),
    ];
    expect(gpuFacts(two.slice(0, 1), { memory }).value[0]?.vramMiB).toBe(16_288);
    expect(gpuFacts(two, { memory }).value.map((gpu) => gpu.vramMiB)).toEqual([null, null]);
  });

  it("prefers xpu-smi over the kernel log, and takes from it what sysfs does not have", () => {
    const smi: XpuSmiGpu = {
      bdf: "0000:03:00.0",
      memoryMiB: 16_288,
      firmwareVersion: "DG02_1.3253",
      driverVersion: null,
      clockHealth: { status: "warning", description: "throttled, power" },
      line: "0,...",
    };
    const memory = { "0000:03:00.0": { mib: 8096, line: "Local memory available" } };
    const of = (part: Partial<PciGpu>) => gpuFacts([card(part)], { memory, xpuSmi: [smi] }).value[0];
    expect(of({ throttle: null })).toMatchObject({
      vramMiB: 16_288,
      firmwareVersion: "DG02_1.3253",
      throttle: ["throttled, power"],
    });
    expect(of({ throttle: ["pl1"] })?.throttle).toEqual(["pl1"]);
  });

  it.each([
    {
      log: "i915 0000:03:00.0: [drm] Failed to resize BAR2 to 16384M (-ENOSPC)",
      why: "BAR 2 256 MiB at 0x1800000000: the bridge above the card has no room for a larger window (-ENOSPC)",
    },
    {
      log: "i915 0000:03:00.0: [drm] Can't resize LMEM BAR - platform support is missing",
      why: "BAR 2 256 MiB at 0x1800000000: the firmware offers no resizing",
    },
    { log: "xe 0000:03:00.0: [drm] Small BAR device", why: "BAR 2 256 MiB at 0x1800000000, VRAM" },
  ])("says why the window is small: $log", ({ log, why }) => {
    const { evidence } = gpuFacts([card({ bar2: small })], { memory: {}, barLog: { "0000:03:00.0": [log] } });
    expect(evidence).toContain(why);
    expect(evidence).toContain(log);
  });

  it("takes the sizes that the window can have from lspci, where the kernel has no file for them", () => {
    const shown = { bar2LargestMiB: 16_384, board: "ASRock Incorporation Device 6004", lines: ["Region 2: [size=8G]"] };
    const old = card({ bar2LargestMiB: null, bar2: bar(8n) });
    const reading = gpuFacts([old], { memory: {}, lspci: { "0000:03:00.0": shown } });
    expect(reading.value[0]).toMatchObject({ vramMiB: 16_384, resizableBar: "partial", board: shown.board });
    expect(reading.evidence).toContain("0000:03:00.0 lspci: Region 2: [size=8G]");
  });

  it("has no complaint of the kernel log about a window that is full", () => {
    const log = "i915 0000:03:00.0: [drm] BAR2 resized to 16384M";
    expect(gpuFacts([card()], { memory: {}, barLog: { "0000:03:00.0": [log] } }).evidence).not.toContain(log);
  });
});
