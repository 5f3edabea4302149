import type { Claim } from "./claim.ts";
import type { TruthRequest } from "./truth-log.ts";

export interface Pair {
  readonly claim: Claim;
  readonly truth: TruthRequest;
}

/** A clock is read before the bytes go out, so a request cannot reach the server earlier than this before its start. */
const EARLIEST_NS = -1e6;

/**
 * Finds the server's entry for each claim: by number or request id where the client kept one, else the claims in order of their
 * start with the requests in order of their arrival. What finds no partner is left out and shows in the counts.
 */
export function pairUp(claims: readonly Claim[], truths: readonly TruthRequest[]): readonly Pair[] {
  const free = new Map(truths.filter(({ streamed }) => streamed).map((truth) => [truth.stream, truth]));
  const byRid = new Map(truths.filter(({ rid }) => rid !== "").map((truth) => [truth.rid, truth.stream]));
  const pairs: Pair[] = [];
  for (const claim of claims) {
    const truth = free.get(claim.stream ?? byRid.get(claim.rid ?? "") ?? -1);
    if (truth === undefined) continue;
    free.delete(truth.stream);
    pairs.push({ claim, truth });
  }
  const paired = new Set(pairs.map(({ claim }) => claim));
  const waiting = claims
    .filter((claim) => !paired.has(claim) && claim.startNs !== null)
    .sort((a, b) => (a.startNs ?? 0) - (b.startNs ?? 0));
  const arrivals = [...free.values()].sort((a, b) => a.firstByteNs - b.firstByteNs);
  let next = 0;
  for (const claim of waiting) {
    while (next < arrivals.length && arrivals[next]!.firstByteNs - (claim.startNs ?? 0) < EARLIEST_NS) next += 1;
    const truth = arrivals[next];
    if (truth === undefined) break;
    next += 1;
    pairs.push({ claim, truth });
  }
  return pairs.sort((a, b) => a.truth.firstByteNs - b.truth.firstByteNs);
}
