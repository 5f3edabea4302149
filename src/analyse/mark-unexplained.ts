import type { Comparison } from "./comparison.ts";

/**
 * A throughput regression should show in a latency of the same load point. One that does not still fails, but says so:
 * it may be the client or the load that changed (after ROCm/ATOM#2152).
 */
export function markUnexplained(comparisons: readonly Comparison[]): Comparison[] {
  return comparisons.map((comparison) => {
    if (comparison.status !== "REGRESSION" || comparison.direction !== "higher") return comparison;
    const latencies = comparisons.filter((other) => other.direction === "lower" && isSameLevel(other, comparison));
    if (latencies.length === 0 || latencies.some(gotWorse)) return comparison;
    return { ...comparison, because: `${comparison.because}; unexplained: no latency at this load point got worse` };
  });
}

function isSameLevel(a: Comparison, b: Comparison): boolean {
  return a.workload === b.workload && a.concurrency === b.concurrency && a.requestRate === b.requestRate;
}

/** Half of what would count is enough for a witness. */
function gotWorse(latency: Comparison): boolean {
  return (latency.changePct ?? 0) > latency.rule.deltaPct / 2;
}
