import type { CpuTelemetry, GpuTelemetry, HostTelemetry } from "./host-telemetry.ts";

/** A clock below its window by more than the steps in which the hardware sets it is held down by something. */
const UNDER_WINDOW = 0.95;
/** A single sample may catch the moment in which a limit is touched. */
const THROTTLED_PCT = 5;
/** Below this share of its highest clock a CPU that is not told to be fast makes the cards wait. */
const SLOW_CPU = 0.6;
/** With hardly a core free, the server waits for its turn before it can launch anything. */
const BUSY_PCT = 90;

/** Why the host was slower than it can be, for people who wonder about a number. */
export function hostWarnings({ gpus, cpu }: HostTelemetry): string[] {
  return [...gpus.flatMap(gpuWarning), ...cpuWarning(cpu), ...busyWarning(cpu)];
}

function gpuWarning(gpu: GpuTelemetry): string[] {
  const { clockMedianMhz: clock, windowMinMhz: floor, throttledPct, throttleReasons } = gpu;
  const isThrottled = (throttledPct ?? 0) > THROTTLED_PCT;
  const isUnder = clock !== null && floor !== null && clock < floor * UNDER_WINDOW;
  if (!isThrottled && !isUnder) return [];
  const ran = clock === null ? "" : ` ran at ${clock.toFixed(0)} MHz (median)`;
  const asked = floor === null || !isUnder ? "" : `, ${floor} MHz or more were asked for`;
  const limited = `throttled in ${throttledPct?.toFixed(0)} % of the samples (${throttleReasons.join(", ")})`;
  if (!isThrottled) return [`GPU ${gpu.bdf}${ran}${asked}: it did not say why`];
  return [`GPU ${gpu.bdf}${ran}${asked}${ran === "" ? " was" : ","} ${limited}: ${remedy(throttleReasons)}`];
}

/** PL1, PL2 and PL4 are power limits, ratl a limit of the average temperature (intel_gt_regs.h). */
function remedy(reasons: readonly string[]): string {
  if (reasons.some((reason) => /thermal|prochot|ratl/.test(reason))) return "it is too hot, look at fans and air";
  if (reasons.some((reason) => /^pl\d/.test(reason))) return "it is at its power limit, so lower clocks would hold";
  return "look at its power supply and cooling";
}

function cpuWarning({ governor, fastestMedianMhz, windowMinMhz, hardwareMaxMhz }: CpuTelemetry): string[] {
  if (fastestMedianMhz === null) return [];
  const ran = `the fastest CPU core ran at ${fastestMedianMhz.toFixed(0)} MHz (median)`;
  if (windowMinMhz !== null && fastestMedianMhz < windowMinMhz * UNDER_WINDOW) {
    return [`${ran}, ${windowMinMhz} MHz or more were asked for: look at the CPU's cooling and power limits`];
  }
  const isSlow = hardwareMaxMhz !== null && fastestMedianMhz < hardwareMaxMhz * SLOW_CPU;
  if (!isSlow || governor === "performance") return [];
  return [`${ran} of ${hardwareMaxMhz} under governor ${governor ?? "unknown"}: the cards wait for it at every step`];
}

function busyWarning({ busyPct, load1Max }: CpuTelemetry): string[] {
  if (busyPct === null || busyPct <= BUSY_PCT) return [];
  const load = load1Max === null ? "" : ` (load ${load1Max.toFixed(1)})`;
  return [`the host's CPU was busy for ${busyPct.toFixed(0)} % of the time${load}: look for other work on it`];
}
