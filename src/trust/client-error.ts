import { quantileOf } from "../measure/distribution.ts";
import type { RequestTrace } from "../measure/load-point.ts";
import { tpotMsOf } from "../measure/summarize.ts";
import type { TruthRequest } from "../ports/truth-server.ts";

/** Absolute errors in ms; null: nothing could be compared. */
export interface ErrorSpread {
  readonly p50: number;
  readonly p99: number;
}

/** What this client claimed, minus what the server knows it sent. */
export interface ClientError {
  readonly requests: number;
  readonly ttftErrorMs: ErrorSpread | null;
  readonly tpotErrorMs: ErrorSpread | null;
  /** Requests that were booked with another outcome, or with other tokens or events, than were sent. */
  readonly miscounted: number;
}

/**
 * Compares requests that were answered in full with the server's log. TTFT is true from when the server had read the
 * request until just before it wrote the first token, so that what this client did before sending and after receiving is
 * its error, and with it whatever the kernel took in between. TPOT is (last - first) / (tokens - 1) on both sides.
 */
export function clientErrorOf(traces: readonly RequestTrace[], truths: readonly TruthRequest[]): ClientError {
  const byRid = new Map(truths.map((truth) => [truth.rid, truth]));
  const pairs = traces.flatMap((trace) => {
    const truth = byRid.get(trace.rid);
    return truth === undefined ? [] : [{ trace, truth }];
  });
  return {
    requests: traces.length,
    ttftErrorMs: spreadOf(pairs.map(({ trace, truth }) => difference(ttftOf(trace), truthTtftOf(truth)))),
    tpotErrorMs: spreadOf(pairs.map(({ trace, truth }) => difference(tpotMsOf(trace), truthTpotOf(truth)))),
    miscounted: traces.length - pairs.filter(({ trace, truth }) => isRight(trace, truth)).length,
  };
}

function isRight(trace: RequestTrace, truth: TruthRequest): boolean {
  return trace.outcome === "ok" && trace.outputTokens === truth.tokens && trace.chunkMs.length === truth.events;
}

function ttftOf({ sentMs, firstMs }: RequestTrace): number | null {
  return firstMs === null ? null : firstMs - sentMs;
}

function truthTtftOf({ receivedMs, firstMs }: TruthRequest): number | null {
  return firstMs === null ? null : firstMs - receivedMs;
}

function truthTpotOf({ firstMs, lastMs, tokens }: TruthRequest): number | null {
  return firstMs === null || lastMs === null || tokens < 2 ? null : (lastMs - firstMs) / (tokens - 1);
}

function difference(claim: number | null, truth: number | null): number | null {
  return claim === null || truth === null ? null : Math.abs(claim - truth);
}

function spreadOf(errors: readonly (number | null)[]): ErrorSpread | null {
  const known = errors.filter((error) => error !== null);
  const p50 = quantileOf(known, 0.5);
  const p99 = quantileOf(known, 0.99);
  return p50 === null || p99 === null ? null : { p50, p99 };
}
