import type { Distribution } from "./load-point.ts";

/** Fewest values with which a tail percentile is shown: MLPerf Inference's floors for early stopping. */
const FLOOR = { p90: 64, p95: 130, p99: 662 } as const;

/** Summary of raw values, which need not be sorted; null when there are none. Percentiles are linear (type 7). */
export function distributionOf(values: ArrayLike<number>): Distribution | null {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  if (n === 0) return null;
  const tail = (name: keyof typeof FLOOR, p: number) => (isTailKnown(name, n) ? quantileOfSorted(sorted, p) : null);
  return {
    n,
    mean: sorted.reduce((sum, value) => sum + value, 0) / n,
    p50: quantileOfSorted(sorted, 0.5),
    p90: tail("p90", 0.9),
    p95: tail("p95", 0.95),
    p99: tail("p99", 0.99),
    min: sorted[0] as number,
    max: sorted[n - 1] as number,
  };
}

/** Whether `n` values support this tail. */
export function isTailKnown(name: keyof typeof FLOOR, n: number): boolean {
  return n >= FLOOR[name];
}

/** Quantile of raw values, however few they are; null when there are none. */
export function quantileOf(values: ArrayLike<number>, p: number): number | null {
  return values.length === 0 ? null : quantileOfSorted(Float64Array.from(values).sort(), p);
}

/** Hyndman and Fan's type 7, numpy's default: linear between the order statistics around (n - 1) p. */
function quantileOfSorted(sorted: Float64Array, p: number): number {
  const at = (sorted.length - 1) * p;
  const below = sorted[Math.floor(at)] as number;
  const above = sorted[Math.ceil(at)] as number;
  return below + (above - below) * (at - Math.floor(at));
}
