import { median } from "../analyse/sample-statistics.ts";
import type { HostTelemetry } from "../bench/host-telemetry.ts";
import type { LoadPoint } from "../bench/load-point.ts";
import { levelLabel } from "../record/level-label.ts";
import { formatValue } from "./format-value.ts";
import { terminalTable } from "./terminal-table.ts";

/** What the host did at each level: medians of the repeats. Columns that nothing is known for are left out. */
export interface HostLoad {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Null when nobody looked at the host. */
export function hostLoad(points: readonly LoadPoint[]): HostLoad | null {
  const levels = new Map<string, HostTelemetry[]>();
  for (const point of points) {
    if (point.host !== undefined) levels.set(levelLabel(point), [...(levels.get(levelLabel(point)) ?? []), point.host]);
  }
  const known = COLUMNS.filter(({ cell }) => [...levels.values()].some((level) => cell(level) !== null));
  if (known.length === 0) return null;
  return {
    head: ["load point", ...known.map(({ title }) => title)],
    rows: [...levels].map(([label, level]) => [label, ...known.map(({ cell }) => cell(level) ?? "n/a")]),
  };
}

/** A title and the table below it; nothing when nobody looked at the host. */
export function hostLoadTable(title: string, points: readonly LoadPoint[]): string[] {
  const load = hostLoad(points);
  if (load === null) return [];
  const { head, rows } = load;
  return [title, terminalTable({ head, rows, limits: [16], rightAligned: [...head.keys()].slice(1) })];
}

interface Column {
  readonly title: string;
  readonly cell: (level: readonly HostTelemetry[]) => string | null;
}

/** Of several cards the slowest, the most throttled and the hottest one counts, and the power of all. */
const COLUMNS: readonly Column[] = [
  { title: "GPU MHz", cell: whole(({ gpus }) => least(gpus.map((gpu) => gpu.clockMedianMhz))) },
  { title: "lowest", cell: whole(({ gpus }) => least(gpus.map((gpu) => gpu.clockMinMhz)), Math.min) },
  { title: "throttled", cell: throttled },
  { title: "GPU W", cell: number(({ gpus }) => total(gpus.map((gpu) => gpu.powerW))) },
  { title: "J/token", cell: number(({ gpuJPerToken }) => gpuJPerToken) },
  { title: "GPU °C", cell: whole(({ gpus }) => most(gpus.map((gpu) => gpu.temperatureMaxC)), Math.max) },
  { title: "VRAM MiB", cell: whole(({ gpus }) => most(gpus.map((gpu) => gpu.vramUsedMaxMiB)), Math.max) },
  { title: "CPU MHz", cell: whole(({ cpu }) => cpu.fastestMedianMhz) },
  { title: "CPU W", cell: number(({ cpu }) => cpu.powerW) },
  { title: "CPU busy", cell: percent(({ cpu }) => cpu.busyPct) },
];

type Read = (host: HostTelemetry) => number | null;
type Combine = (...values: number[]) => number;

function over(level: readonly HostTelemetry[], read: Read, combine?: Combine): number | null {
  const values = known(level.map(read));
  if (values.length === 0) return null;
  return combine === undefined ? median(values) : combine(...values);
}

function whole(read: Read, combine?: Combine): Column["cell"] {
  return (level) => over(level, read, combine)?.toFixed(0) ?? null;
}

function number(read: Read): Column["cell"] {
  return (level) => {
    const value = over(level, read);
    return value === null ? null : formatValue(value);
  };
}

function percent(read: Read): Column["cell"] {
  return (level) => {
    const value = over(level, read);
    return value === null ? null : `${value.toFixed(0)} %`;
  };
}

function throttled(level: readonly HostTelemetry[]): string | null {
  const share = over(level, ({ gpus }) => most(gpus.map((gpu) => gpu.throttledPct)));
  if (share === null) return null;
  const reasons = new Set(level.flatMap(({ gpus }) => gpus.flatMap(({ throttleReasons }) => throttleReasons)));
  return `${share.toFixed(0)} %${reasons.size === 0 ? "" : ` (${[...reasons].join(", ")})`}`;
}

function known(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}

function least(values: readonly (number | null)[]): number | null {
  return known(values).reduce<number | null>((a, b) => (a === null ? b : Math.min(a, b)), null);
}

function most(values: readonly (number | null)[]): number | null {
  return known(values).reduce<number | null>((a, b) => (a === null ? b : Math.max(a, b)), null);
}

function total(values: readonly (number | null)[]): number | null {
  const numbers = known(values);
  return values.length === 0 || numbers.length < values.length ? null : numbers.reduce((a, b) => a + b, 0);
}
