import type { HostTelemetry } from "../measure/host-telemetry.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import type { FieldDifference } from "../record/fingerprint.ts";
import { mostThrottledPct, slowestClockMhz, throttleReasonsOf } from "../record/worst-card.ts";
import { median } from "./sample-statistics.ts";

/** Clocks and shares move a little from run to run; less than this is no reason for anything. */
const CLOCK_CHANGE = 0.05;
const THROTTLED_POINTS = 10;

/**
 * What the hosts did differently while they were measured: it explains numbers that the settings do not. Medians over
 * all load points; of several cards the slowest and the most throttled count. Empty without telemetry on both sides.
 */
export function hostDifferences(baseline: readonly LoadPoint[], current: readonly LoadPoint[]): FieldDifference[] {
  const [before, after] = [hostsOf(baseline), hostsOf(current)];
  return [
    ...clockChange("gpu clock under load", before, after, slowestClockMhz),
    ...throttling(before, after),
    ...clockChange("cpu clock under load", before, after, ({ cpu }) => cpu.fastestMedianMhz),
  ];
}

type Read = (host: HostTelemetry) => number | null;

function hostsOf(points: readonly LoadPoint[]): HostTelemetry[] {
  return points.flatMap(({ host }) => host ?? []);
}

function clockChange(
  field: string,
  before: readonly HostTelemetry[],
  after: readonly HostTelemetry[],
  read: Read,
): FieldDifference[] {
  const [from, to] = [middle(before, read), middle(after, read)];
  if (from === null || to === null || from <= 0 || Math.abs(to / from - 1) < CLOCK_CHANGE) return [];
  return [{ field, baseline: `${from.toFixed(0)} MHz`, current: `${to.toFixed(0)} MHz` }];
}

function throttling(before: readonly HostTelemetry[], after: readonly HostTelemetry[]): FieldDifference[] {
  const [from, to] = [middle(before, mostThrottledPct), middle(after, mostThrottledPct)];
  if (from === null || to === null || Math.abs(to - from) < THROTTLED_POINTS) return [];
  return [{ field: "gpu throttled", baseline: throttled(from, before), current: throttled(to, after) }];
}

function throttled(pct: number, hosts: readonly HostTelemetry[]): string {
  const reasons = throttleReasonsOf(hosts);
  return `${pct.toFixed(0)} % of the time${reasons === "" ? "" : ` (${reasons})`}`;
}

function middle(hosts: readonly HostTelemetry[], read: Read): number | null {
  const values = hosts.map(read).filter((value) => value !== null);
  return values.length === 0 ? null : median(values);
}
