import type { RunRecord } from "../record/run-record.ts";
import type { Analysis } from "./comparison.ts";

/** A regressed run is kept but never becomes a baseline, or the next run would be measured against the damage. */
export function settleEligibility(record: RunRecord, analysis: Pick<Analysis, "status">): RunRecord {
  return { ...record, eligible: record.eligible && analysis.status !== "REGRESSION" && analysis.status !== "INVALID" };
}
