import { isEligible, whyNotEligible } from "./eligibility.ts";
import { differingFields, type FieldDifference } from "./fingerprint.ts";
import type { RunRecord } from "./run-record.ts";

export interface BaselineSelection {
  /** Comparable records, newest first. */
  readonly baselines: readonly RunRecord[];
  /** Eligible records of either recipe: how much history there is. */
  readonly eligibleCount: number;
  /** Records that were not used and why, in words. */
  readonly refused: readonly { readonly runId: string; readonly reason: string }[];
  /** When no record is comparable: the hard fields in which the closest eligible one differs. */
  readonly mismatch: { readonly runId: string; readonly differences: readonly FieldDifference[] } | null;
}

/** Picks the records that `current` may be compared with: eligible, of the same hard fingerprint, and not itself. */
export function selectBaseline(records: readonly RunRecord[], current: RunRecord): BaselineSelection {
  const newestFirst = [...records]
    .filter((record) => !isSameRun(record, current))
    .sort((a, b) => b.run.startedAt.localeCompare(a.run.startedAt));
  const usable = newestFirst.filter((record) => whyNotUsable(record, current) === null);
  const baselines = usable.filter((record) => record.fingerprint?.hard === current.fingerprint?.hard);
  const refused = newestFirst
    .filter((record) => !baselines.includes(record))
    .map((record) => ({
      runId: record.run.id,
      reason: whyNotUsable(record, current) ?? describeMismatch(differencesOf(record, current)),
    }));
  const mismatch = baselines.length > 0 ? null : closest(usable, current);
  return { baselines, eligibleCount: usable.length, refused, mismatch };
}

function isSameRun(a: RunRecord, b: RunRecord): boolean {
  return a.run.id === b.run.id && a.run.attempt === b.run.attempt && a.host === b.host;
}

function whyNotUsable(record: RunRecord, current: RunRecord): string | null {
  if (record.simulated && !current.simulated) return "it is simulated and this run is real";
  if (!record.simulated && current.simulated) return "it is real and this run is simulated";
  if (!isEligible(record)) return whyNotEligible(record);
  return record.eligible ? null : "it is marked as not eligible, for example after a regression";
}

function differencesOf(record: RunRecord, current: RunRecord): FieldDifference[] {
  return differingFields(record.fingerprint?.hardFields ?? {}, current.fingerprint?.hardFields ?? {});
}

function describeMismatch(differences: readonly FieldDifference[]): string {
  return `other recipe: ${differences.map((d) => `${d.field} ${d.baseline} -> ${d.current}`).join(", ")}`;
}

function closest(usable: readonly RunRecord[], current: RunRecord): BaselineSelection["mismatch"] {
  const candidates = usable.map((record) => ({ runId: record.run.id, differences: differencesOf(record, current) }));
  const [best] = candidates.sort((a, b) => a.differences.length - b.differences.length);
  return best ?? null;
}
