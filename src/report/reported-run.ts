import type { Analysis, Status } from "../analyse/comparison.ts";
import type { RunRecord } from "../record/run-record.ts";

/** What the gate decided, as reports need it; a GateDecision is one. */
export interface ReportedVerdict {
  readonly status: Status;
  readonly exitCode: number;
  readonly sentence: string;
  readonly comparisonCount: number;
  readonly regressedMetrics: readonly string[];
  readonly mdeMaxPct: number | null;
}

/** One record with what was made of it. `analysis` and `verdict` are null when nothing was judged. */
export interface ReportedRun {
  readonly record: RunRecord;
  readonly analysis: Analysis | null;
  readonly verdict: ReportedVerdict | null;
}

/** Everything a report shows: one run or several, of one host or of several. */
export interface Reported {
  readonly runs: readonly ReportedRun[];
  /** Of all runs together; null when nothing was judged. */
  readonly verdict: ReportedVerdict | null;
}

/** Names that tell the runs of a report apart and stay the same from night to night. */
export function runLabels(runs: readonly { readonly record: RunRecord }[]): string[] {
  const hosts = runs.map(({ record }) => record.host);
  const withLayout = runs.map(({ record }) => `${record.host} tp${record.deployment?.tensorParallel ?? "?"}`);
  return hosts.map((host, index) => {
    if (isOnly(hosts, host)) return host;
    const layout = withLayout[index] ?? host;
    return isOnly(withLayout, layout) ? layout : `${layout} #${index + 1}`;
  });
}

export function isSimulated({ runs }: Pick<Reported, "runs">): boolean {
  return runs.some(({ record }) => record.simulated);
}

function isOnly(names: readonly string[], name: string): boolean {
  return names.filter((other) => other === name).length === 1;
}
