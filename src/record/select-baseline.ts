import { isEligible, whyNotEligible } from "./eligibility.ts";
import { differingFields, type FieldDifference, type Fields } from "./fingerprint.ts";
import type { RunRecord } from "./run-record.ts";

export interface BaselineSelection {
  /** Comparable records, newest first. */
  readonly baselines: readonly RunRecord[];
  /** Eligible records of either recipe: how much history there is. */
  readonly eligibleCount: number;
  /** Records that were not used and why, in words. */
  readonly refused: readonly RefusedRecord[];
  /** When no record is comparable: the hard fields in which the closest eligible one differs. */
  readonly mismatch: { readonly runId: string; readonly differences: readonly FieldDifference[] } | null;
}

export interface RefusedRecord {
  readonly runId: string;
  /** "unusable" records deserve a word; other recipes are ordinary in a shared history. */
  readonly kind: "unusable" | "other-recipe";
  readonly reason: string;
}

/**
 * Picks the records that `current` may be compared with: eligible, of the same hard fingerprint, and not itself.
 * An imported record says little about its recipe: it is used only when that is allowed, and what it does say has to agree.
 */
export function selectBaseline(
  records: readonly RunRecord[],
  current: RunRecord,
  allowImported = false,
): BaselineSelection {
  const newestFirst = [...records]
    .filter((record) => !isSameRun(record, current))
    .sort((a, b) => b.run.startedAt.localeCompare(a.run.startedAt));
  const usable = newestFirst.filter((record) => whyNotUsable(record, current, allowImported) === null);
  const baselines = usable.filter((record) => isSameRecipe(record, current));
  const refused = newestFirst
    .filter((record) => !baselines.includes(record))
    .map((record) => refusalOf(record, current, allowImported));
  const mismatch = baselines.length > 0 ? null : closest(usable, current);
  return { baselines, eligibleCount: usable.length, refused, mismatch };
}

function isSameRun(a: RunRecord, b: RunRecord): boolean {
  return a.run.id === b.run.id && a.run.attempt === b.run.attempt && a.host === b.host;
}

function isSameRecipe(record: RunRecord, current: RunRecord): boolean {
  if (isImported(record) || isImported(current)) return differencesOf(record, current).length === 0;
  return record.fingerprint?.hard === current.fingerprint?.hard;
}

function isImported({ imported }: RunRecord): boolean {
  return imported !== undefined;
}

function whyNotUsable(record: RunRecord, current: RunRecord, allowImported: boolean): string | null {
  if (record.imported !== undefined && !allowImported) {
    return `it was imported from ${record.imported.tool}, and gate.allow-imported is not set`;
  }
  if (record.simulated && !current.simulated) return "it is simulated and this run is real";
  if (!record.simulated && current.simulated) return "it is real and this run is simulated";
  if (!isEligible(record)) return whyNotEligible(record);
  return record.eligible ? null : "it is marked as not eligible, for example after a regression";
}

function differencesOf(record: RunRecord, current: RunRecord): FieldDifference[] {
  if (!isImported(record) && !isImported(current)) {
    return differingFields(record.fingerprint?.hardFields ?? {}, current.fingerprint?.hardFields ?? {});
  }
  const unknown = unknownFields(record, current);
  return differingFields(saidFields(record), saidFields(current)).filter(({ field }) => !unknown.includes(field));
}

/** Hard fields of `current` that an imported record does not say, or the other way round: they are not compared. */
export function unknownFields(record: RunRecord, current: RunRecord): string[] {
  const [a, b] = [saidFields(record), saidFields(current)];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.filter((field) => (a[field] ?? null) === null || (b[field] ?? null) === null).sort();
}

/** Other tools know a model by the name in requests, our fingerprint knows it by its folder. */
function saidFields({ fingerprint, deployment }: RunRecord): Fields {
  const name = deployment?.servedModelName.split("/").at(-1);
  return { ...fingerprint?.hardFields, ...(name !== undefined && { "served model": name }) };
}

function refusalOf(record: RunRecord, current: RunRecord, allowImported: boolean): RefusedRecord {
  const reason = whyNotUsable(record, current, allowImported);
  if (reason !== null) return { runId: record.run.id, kind: "unusable", reason };
  const fields = differencesOf(record, current).map((d) => `${d.field} ${d.baseline} -> ${d.current}`);
  return { runId: record.run.id, kind: "other-recipe", reason: `other recipe: ${fields.join(", ")}` };
}

function closest(usable: readonly RunRecord[], current: RunRecord): BaselineSelection["mismatch"] {
  const candidates = usable.map((record) => ({ runId: record.run.id, differences: differencesOf(record, current) }));
  const [best] = candidates.sort((a, b) => a.differences.length - b.differences.length);
  return best ?? null;
}
