import { median } from "../analyse/sample-statistics.ts";
import type { HostTelemetry } from "../measure/host-telemetry.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import { levelLabel } from "../record/level-label.ts";
import {
  fullestVramMiB,
  hottestC,
  lowestClockMhz,
  mostThrottledPct,
  slowestClockMhz,
  throttleReasonsOf,
} from "../record/worst-card.ts";
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
  { title: "GPU MHz", cell: whole(slowestClockMhz) },
  { title: "lowest", cell: whole(lowestClockMhz, Math.min) },
  { title: "throttled", cell: throttled },
  { title: "GPU W", cell: number(gpuWatts) },
  { title: "J/token", cell: number(({ gpuJPerToken }) => gpuJPerToken) },
  { title: "GPU °C", cell: whole(hottestC, Math.max) },
  { title: "VRAM MiB", cell: whole(fullestVramMiB, Math.max) },
  { title: "CPU MHz", cell: whole(({ cpu }) => cpu.fastestMedianMhz) },
  { title: "CPU W", cell: number(({ cpu }) => cpu.powerW) },
  { title: "CPU busy", cell: percent(({ cpu }) => cpu.busyPct) },
];

type Read = (host: HostTelemetry) => number | null;
type Combine = (...values: number[]) => number;

/** One value of the repeats: their median unless told otherwise. */
function over(level: readonly HostTelemetry[], read: Read, combine?: Combine): number | null {
  const values = level.map(read).filter((value) => value !== null);
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
  const share = percent(mostThrottledPct)(level);
  const reasons = throttleReasonsOf(level);
  return share === null || reasons === "" ? share : `${share} (${reasons})`;
}

/** A sum over some of the cards is no total. */
function gpuWatts({ gpus }: HostTelemetry): number | null {
  const watts = gpus.map(({ powerW }) => powerW).filter((value) => value !== null);
  return gpus.length === 0 || watts.length < gpus.length ? null : watts.reduce((sum, value) => sum + value, 0);
}
