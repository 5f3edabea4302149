/** How far off many values are. All but `bias` are of absolute values, in the unit of what went in. */
export interface Spread {
  readonly n: number;
  /** Mean with its sign. */
  readonly bias: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Null without values. */
export function spreadOf(errors: readonly number[]): Spread | null {
  if (errors.length === 0) return null;
  const sizes = Float64Array.from(errors, Math.abs).sort();
  return {
    n: errors.length,
    bias: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    p50: quantile(sizes, 0.5),
    p99: quantile(sizes, 0.99),
    max: sizes.at(-1) ?? 0,
  };
}

/** Linear between order statistics (type 7, as numpy). `sorted` is ascending and not empty. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = (sorted.length - 1) * q;
  const below = Math.floor(at);
  const low = sorted[below] ?? 0;
  return low + ((sorted[Math.min(below + 1, sorted.length - 1)] ?? low) - low) * (at - below);
}
