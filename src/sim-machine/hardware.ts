import { A770_MAX_MHZ, FREE_GPU_MHZ, type HostSpeed, POWERSAVE_CPU_MHZ } from "../sim-vllm/performance-model.ts";
import type { CpuPolicy, Hardware, VirtualGpu, VirtualMachine } from "./virtual-machine.ts";

export const GPU_FLOOR_MHZ = 300;
/** 16 GiB less what the card keeps for itself, as i915 prints it for an A770 (ipex-llm#12122). */
export const LOCAL_MEMORY_BYTES = 0x3fa000000;

/** A workstation with two Arc A770 16 GB behind their own PCIe switches; the second has no Resizable BAR. */
export function newHardware(): Hardware {
  return {
    gpus: [
      newGpu("0000:03:00.0", "0000:00:01.0/0000:01:00.0/0000:02:01.0", 0, true),
      newGpu("0000:0a:00.0", "0000:00:06.0/0000:08:00.0/0000:09:01.0", 1, false),
    ],
    cpu: {
      model: "Intel(R) Xeon(R) w3-2423",
      threads: 12,
      minKhz: 800_000,
      maxKhz: 4_200_000,
      policies: Array.from({ length: 12 }, freePolicy),
    },
    memoryKib: 65_648_212,
  };
}

/** What a boot does to clocks: every setting made since the last one is gone. */
export function resetClocks({ gpus, cpu }: Hardware): void {
  for (const gpu of gpus) {
    gpu.minMhz = GPU_FLOOR_MHZ;
    gpu.maxMhz = A770_MAX_MHZ;
    gpu.boostMhz = A770_MAX_MHZ;
  }
  cpu.policies.splice(0, cpu.policies.length, ...Array.from({ length: cpu.threads }, freePolicy));
}

/** The clocks that matter while a model is served, and the driver that is loaded. */
export function hostSpeedOf({ hardware, boot }: VirtualMachine): HostSpeed {
  const slowest = (values: readonly number[]) => Math.min(...values);
  return {
    cpuMhz: slowest(hardware.cpu.policies.map(loadedCpuMhz)),
    gpuMhz: slowest(hardware.gpus.map(loadedGpuMhz)),
    driver: boot?.driver === "dkms" ? "dkms" : "in-tree",
  };
}

/** Whether the window to all of the card's memory is open, as of the boot that read the BIOS setting. */
export function hasFullBar(gpu: VirtualGpu, resizableBar: boolean): boolean {
  return gpu.barPreset || resizableBar;
}

export function loadedCpuMhz({ governor, minKhz, maxKhz }: CpuPolicy): number {
  return governor === "performance"
    ? maxKhz / 1000
    : Math.min(maxKhz / 1000, Math.max(minKhz / 1000, POWERSAVE_CPU_MHZ));
}

export function loadedGpuMhz({ minMhz, maxMhz }: VirtualGpu): number {
  return Math.min(maxMhz, Math.max(minMhz, FREE_GPU_MHZ));
}

function freePolicy(): CpuPolicy {
  return { governor: "powersave", minKhz: 800_000, maxKhz: 4_200_000 };
}

function newGpu(bdf: string, bridges: string, index: number, barPreset: boolean): VirtualGpu {
  return {
    bdf,
    sysPath: `/sys/devices/pci0000:00/${bridges}/${bdf}`,
    card: `card${index}`,
    renderNode: `renderD${128 + index}`,
    barPreset,
    minMhz: GPU_FLOOR_MHZ,
    maxMhz: A770_MAX_MHZ,
    boostMhz: A770_MAX_MHZ,
  };
}
