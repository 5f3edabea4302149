import { distance } from "fastest-levenshtein";

/** The candidate a person most likely meant, or null when none is near. */
export function nearestWord(word: string, candidates: readonly string[]): string | null {
  const written = plain(word.slice(0, 100));
  const [best] = candidates
    .map((name) => ({ name, cost: costOf(written, plain(name)) }))
    .filter(({ cost }) => Number.isFinite(cost))
    .sort((a, b) => a.cost - b.cost);
  return best?.name ?? null;
}

/** Edits between two words; infinite when nobody would take one for the other. */
function costOf(written: string, name: string): number {
  // A forgotten unit: shm-size for shm-size-gib.
  if (written.length >= 4 && (name.startsWith(`${written}-`) || written.startsWith(`${name}-`))) return 1;
  const edits = distance(written, name);
  // Two neighbours swapped are two edits, so short words need two as well.
  const most = written.length < 4 ? 1 : Math.max(2, Math.min(written.length, name.length) / 3);
  return edits <= most ? edits : Number.POSITIVE_INFINITY;
}

/** Case, underscores and leading dashes are not what makes two words different here. */
function plain(word: string): string {
  return word.toLowerCase().replace(/^-+/, "").replaceAll("_", "-");
}
