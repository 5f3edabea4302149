import { A770_MAX_MHZ } from "../sim-vllm/performance-model.ts";
import { GPU_FLOOR_MHZ, loadedCpuMhz, loadedGpuMhz } from "./hardware.ts";
import type { CpuPolicy, VirtualGpu, VirtualMachine } from "./virtual-machine.ts";

/**
 * What clocks, power and memory the virtual host shows at this moment. The clocks are those that the performance model
 * counts with; watts are rounded from what owners of A770s and of small Xeons see, and stand for nothing measured.
 */
export function actualGpuMhz(machine: VirtualMachine, gpu: VirtualGpu): number {
  if (isBusy(machine, gpu)) return loadedGpuMhz(gpu);
  return gpu.minMhz === GPU_FLOOR_MHZ ? 0 : gpu.minMhz;
}

export function requestedGpuMhz(machine: VirtualMachine, gpu: VirtualGpu): number {
  return isBusy(machine, gpu) ? loadedGpuMhz(gpu) : gpu.minMhz;
}

/** Cores beyond the few that feed the cards have nothing to do. */
export function actualCpuKhz(machine: VirtualMachine, index: number, policy: CpuPolicy): number {
  if (index < FEEDING_CORES && machine.hardware.gpus.some((gpu) => isBusy(machine, gpu))) {
    return loadedCpuMhz(policy) * 1000;
  }
  return policy.governor === "performance" ? policy.maxKhz : policy.minKhz;
}

export function gpuWatts(machine: VirtualMachine, gpu: VirtualGpu): number {
  const clock = actualGpuMhz(machine, gpu) / A770_MAX_MHZ;
  return isBusy(machine, gpu) ? 45 + 90 * clock ** 2 : 38;
}

export function cpuWatts(machine: VirtualMachine): number {
  const { policies, maxKhz } = machine.hardware.cpu;
  const speed = policies.map((policy, index) => (actualCpuKhz(machine, index, policy) / maxKhz) ** 2);
  return 30 + 50 * (speed.reduce((sum, value) => sum + value, 0) / policies.length);
}

/** What the card warms up to at its power, without the minute that it takes. */
export function gpuCelsius(machine: VirtualMachine, gpu: VirtualGpu): number {
  return 30 + gpuWatts(machine, gpu) / 4;
}

export function gpuMemoryUsedMib(machine: VirtualMachine, gpu: VirtualGpu): number {
  const works = [...machine.work.values()].filter((work) => work.cards.includes(machine.hardware.gpus.indexOf(gpu)));
  return works.reduce((sum, { memoryMib }) => sum + memoryMib, 17.52);
}

/** An energy counter in µJ that grows by the power of the moment each time it is read. */
export function energyCounter(machine: VirtualMachine, watts: () => number): () => number {
  let atMs = machine.clock.nowMs();
  let microjoules = 0;
  return () => {
    const nowMs = machine.clock.nowMs();
    microjoules += watts() * (nowMs - atMs) * 1000;
    atMs = nowMs;
    return Math.round(microjoules);
  };
}

const FEEDING_CORES = 4;

function isBusy({ work, hardware }: VirtualMachine, gpu: VirtualGpu): boolean {
  const index = hardware.gpus.indexOf(gpu);
  return [...work.values()].some(({ cards, isBusy }) => cards.includes(index) && isBusy());
}
