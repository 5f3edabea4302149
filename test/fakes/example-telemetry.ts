import type { GpuSample } from "../../src/measure/host-sample.ts";
import type { CpuTelemetry, GpuTelemetry, HostTelemetry } from "../../src/measure/host-telemetry.ts";

/** A card at its pinned clock at one moment; tests say what differs. */
export function exampleGpuSample(overrides: Partial<GpuSample> = {}): GpuSample {
  return {
    bdf: "0000:03:00.0",
    actualMhz: 2400,
    requestedMhz: 2400,
    windowMinMhz: 2400,
    windowMaxMhz: 2400,
    throttle: [],
    joules: null,
    powerW: null,
    temperatureC: null,
    vramUsedMiB: null,
    ...overrides,
  };
}

/** A card at its pinned clock; tests say what differs. */
export function exampleGpuTelemetry(overrides: Partial<GpuTelemetry> = {}): GpuTelemetry {
  return {
    bdf: "0000:03:00.0",
    clockMedianMhz: 2400,
    clockMinMhz: 2350,
    requestedMedianMhz: 2400,
    windowMinMhz: 2400,
    windowMaxMhz: 2400,
    asleepPct: 0,
    throttledPct: 0,
    throttleReasons: [],
    powerW: 118.4,
    temperatureMaxC: null,
    vramUsedMaxMiB: null,
    ...overrides,
  };
}

export function exampleTelemetry(
  overrides: Partial<Omit<HostTelemetry, "cpu">> & { readonly cpu?: Partial<CpuTelemetry> } = {},
): HostTelemetry {
  const { cpu = {}, ...rest } = overrides;
  return {
    window: "plateau",
    samples: 108,
    gpus: [exampleGpuTelemetry()],
    gpuJPerToken: 0.27,
    ...rest,
    cpu: {
      governor: "performance",
      clockMedianMhz: 3800,
      clockMinMhz: 3800,
      fastestMedianMhz: 4400,
      windowMinMhz: 3800,
      hardwareMaxMhz: 4500,
      busyPct: 12.4,
      load1Max: 3.1,
      powerW: null,
      ...cpu,
    },
  };
}

/** What a host without a GPU, cpufreq or energy counters tells. */
export const NOTHING_TOLD: HostTelemetry = exampleTelemetry({
  gpus: [],
  gpuJPerToken: null,
  cpu: {
    governor: null,
    clockMedianMhz: null,
    clockMinMhz: null,
    fastestMedianMhz: null,
    windowMinMhz: null,
    hardwareMaxMhz: null,
    busyPct: null,
    load1Max: null,
  },
});
