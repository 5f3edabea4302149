/** As many digits as mean something, no exponent: 0.995, 15.19, 437.9, 1180; "n/a" for what is not known. */
export function formatValue(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "n/a";
  const size = Math.abs(value);
  const decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
  return value.toFixed(decimals);
}

/** A signed change in percent with one decimal, without the sign: "-8.0"; never "-0.0". */
export function formatChange(pct: number | null): string {
  if (pct === null || !Number.isFinite(pct)) return "n/a";
  const rounded = Math.round(pct * 10) / 10;
  if (rounded === 0) return "0.0";
  return `${rounded > 0 ? "+" : ""}${rounded.toFixed(1)}`;
}

/** "-9.9 to -6.1", or "n/a". */
export function formatInterval(lowPct: number | null, highPct: number | null): string {
  return lowPct === null || highPct === null ? "n/a" : `${formatChange(lowPct)} to ${formatChange(highPct)}`;
}

/** "4.1 s", "2 min 05 s". */
export function formatDuration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/** "1 step", "3 steps". */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
