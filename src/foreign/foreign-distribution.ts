import { isTailKnown } from "../measure/distribution.ts";
import type { Distribution } from "../measure/load-point.ts";

/** Statistics as another tool gives them, in one unit; absent or null: not in its file. */
export interface ForeignStatistics {
  readonly mean?: number | null | undefined;
  readonly p50?: number | null | undefined;
  readonly p90?: number | null | undefined;
  readonly p95?: number | null | undefined;
  readonly p99?: number | null | undefined;
  readonly min?: number | null | undefined;
  readonly max?: number | null | undefined;
}

/**
 * Statistics over `n` values in our form, times `scale` (1000 for seconds). Null without a mean. Tails that so few values
 * do not support are left out, as they are for our own measurements.
 */
export function foreignDistribution(statistics: ForeignStatistics, n: number, scale = 1): Distribution | null {
  const { mean, p50, p90, p95, p99, min, max } = statistics;
  if (mean === null || mean === undefined || n === 0) return null;
  const scaled = (value: number | null | undefined) => (value === null || value === undefined ? null : value * scale);
  const tail = (name: "p90" | "p95" | "p99", value: number | null | undefined) =>
    isTailKnown(name, n) ? scaled(value) : null;
  return {
    n,
    mean: mean * scale,
    p50: scaled(p50),
    p90: tail("p90", p90),
    p95: tail("p95", p95),
    p99: tail("p99", p99),
    min: scaled(min),
    max: scaled(max),
  };
}
