/** A load point in words: "chat c=12", or "chat at 2.5 req/s" in an open loop. */
export function levelLabel(level: {
  readonly workload: string;
  readonly concurrency: number;
  readonly requestRate: number | null;
}): string {
  const load = level.requestRate === null ? `c=${level.concurrency}` : `at ${level.requestRate} req/s`;
  return `${level.workload} ${load}`;
}
