import type { GpuTelemetry, HostTelemetry } from "../measure/host-telemetry.ts";

/** What counts of several cards: one that is slow makes the others wait. Null: none of them tells. */
export function slowestClockMhz(host: HostTelemetry): number | null {
  return extreme(Math.min, host, ({ clockMedianMhz }) => clockMedianMhz);
}

export function lowestClockMhz(host: HostTelemetry): number | null {
  return extreme(Math.min, host, ({ clockMinMhz }) => clockMinMhz);
}

export function mostThrottledPct(host: HostTelemetry): number | null {
  return extreme(Math.max, host, ({ throttledPct }) => throttledPct);
}

export function hottestC(host: HostTelemetry): number | null {
  return extreme(Math.max, host, ({ temperatureMaxC }) => temperatureMaxC);
}

export function fullestVramMiB(host: HostTelemetry): number | null {
  return extreme(Math.max, host, ({ vramUsedMaxMiB }) => vramUsedMaxMiB);
}

/** Every reason that a driver named, for any card. */
export function throttleReasonsOf(hosts: readonly HostTelemetry[]): string {
  return [...new Set(hosts.flatMap(({ gpus }) => gpus.flatMap(({ throttleReasons }) => throttleReasons)))].join(", ");
}

function extreme(
  pick: (...values: number[]) => number,
  { gpus }: HostTelemetry,
  read: (gpu: GpuTelemetry) => number | null,
): number | null {
  const values = gpus.map(read).filter((value) => value !== null);
  return values.length === 0 ? null : pick(...values);
}
