import type { Claim } from "./claim.ts";
import { type Pair, pairUp } from "./pair.ts";
import { type Spread, spreadOf } from "./spread.ts";
import { type TruthRequest, trueE2eMs, trueTpotMs, trueTtftMs } from "./truth-log.ts";

/** A client against the server's log: errors are what it claims minus what was, in ms. Null: it does not say. */
export interface Score {
  readonly claims: number;
  readonly paired: number;
  readonly ttft: Spread | null;
  /** Without the first `streams` requests, which all start at once. */
  readonly ttftAfterFirstWave: Spread | null;
  /** Where the TTFT error of clients that keep a start time comes from: bytes that left late, tokens that were read late. */
  readonly sendDelay: Spread | null;
  readonly readDelay: Spread | null;
  readonly tpot: Spread | null;
  readonly e2e: Spread | null;
  readonly gap: Spread | null;
  /** Requests whose token count is not the server's; null when the client says none. */
  readonly wrongTokens: number | null;
  /** Requests booked as complete that were not, and the other way round. */
  readonly falseOk: number;
  readonly falseFailure: number;
  /** Start of the request against its schedule, where there is one. */
  readonly lateness: Spread | null;
  /** How late the server itself was. Errors below this mean nothing. */
  readonly serverLateMs: Spread | null;
  readonly blockedWrites: number;
  readonly events: number;
  /** First byte of the first request and write of the last event, CLOCK_MONOTONIC ns. */
  readonly firstRequestNs: number;
  /** The same of any request, a client's own first try or warm-up too. */
  readonly firstContactNs: number;
  readonly lastEventNs: number;
  readonly eventsPerS: number;
  /** Time-weighted requests in flight between the first and the last start, of `streams`; null in an open loop. */
  readonly inFlightPct: number | null;
  readonly arrivals: Arrivals | null;
}

/** The gaps between arrivals as the server saw them, against exponential ones of the same mean. */
export interface Arrivals {
  readonly perS: number;
  readonly gapCv: number;
  /** Largest distance of the distribution functions (Kolmogorov and Smirnov), and its 5 % limit. */
  readonly ks: number;
  readonly ksLimit: number;
}

/** Scores the claims of one run. `streams` is 0 in an open loop. */
export function score(claims: readonly Claim[], truths: readonly TruthRequest[], streams: number): Score {
  const pairs = pairUp(claims, truths);
  const complete = pairs.filter(({ truth, claim }) => truth.ending === "complete" && claim.ok);
  const mine = pairs.map(({ truth }) => truth);
  const events = mine.reduce((sum, truth) => sum + truth.writeNs.length, 0);
  const firstRequestNs = least(mine.map((truth) => truth.firstByteNs));
  const lastEventNs = most(mine.map((truth) => truth.writeNs.at(-1) ?? truth.firstByteNs));
  return {
    claims: claims.length,
    paired: pairs.length,
    ttft: errorsOf(complete, "ttftMs", trueTtftMs),
    ttftAfterFirstWave: errorsOf(afterFirst(complete, streams), "ttftMs", trueTtftMs),
    sendDelay: spreadOf(afterFirst(complete, streams).flatMap(sendDelayMs)),
    readDelay: spreadOf(afterFirst(complete, streams).flatMap(readDelayMs)),
    tpot: errorsOf(complete, "tpotMs", trueTpotMs),
    e2e: errorsOf(complete, "e2eMs", trueE2eMs),
    gap: spreadOf(complete.flatMap(gapErrors)),
    wrongTokens: complete.every(({ claim }) => claim.tokens === null)
      ? null
      : complete.filter(({ claim, truth }) => claim.tokens !== truth.sentTokens).length,
    falseOk: pairs.filter(({ claim, truth }) => claim.ok && truth.ending !== "complete").length,
    falseFailure: pairs.filter(({ claim, truth }) => !claim.ok && truth.ending === "complete").length,
    lateness: spreadOf(claims.flatMap(latenessMs)),
    serverLateMs: spreadOf(mine.flatMap((truth) => truth.lateNs.map((ns) => ns / 1e6))),
    blockedWrites: mine.reduce((sum, truth) => sum + truth.blockedWrites, 0),
    events,
    firstRequestNs,
    firstContactNs: least(truths.map((truth) => truth.firstByteNs)),
    lastEventNs,
    eventsPerS: (events * 1e9) / (lastEventNs - firstRequestNs),
    inFlightPct: streams === 0 ? null : inFlightPct(mine, streams),
    arrivals: streams === 0 && mine.length > 1 ? arrivalsOf(mine.map(({ firstByteNs }) => firstByteNs)) : null,
  };
}

function errorsOf(
  pairs: readonly Pair[],
  field: "ttftMs" | "tpotMs" | "e2eMs",
  trueValue: (truth: TruthRequest) => number | null,
): Spread | null {
  const errors = pairs.flatMap(({ claim, truth }) => {
    const [claimed, real] = [claim[field], trueValue(truth)];
    return claimed === null || real === null ? [] : [claimed - real];
  });
  return spreadOf(errors);
}

/** Pairs are in order of arrival. */
function afterFirst(pairs: readonly Pair[], streams: number): readonly Pair[] {
  return pairs.slice(streams);
}

function sendDelayMs({ claim: { startNs }, truth }: Pair): number[] {
  return startNs === null ? [] : [(truth.firstByteNs - startNs) / 1e6];
}

function readDelayMs({ claim: { startNs, ttftMs }, truth }: Pair): number[] {
  const [writeNs] = truth.writeNs;
  return startNs === null || ttftMs === null || writeNs === undefined ? [] : [ttftMs - (writeNs - startNs) / 1e6];
}

/** Event by event, and only where the client saw as many events as there were. */
function gapErrors({ claim, truth }: Pair): number[] {
  if (claim.gapsMs === null || claim.gapsMs.length !== truth.writeNs.length - 1) return [];
  return claim.gapsMs.map((gap, at) => gap - (truth.writeNs[at + 1]! - truth.writeNs[at]!) / 1e6);
}

function latenessMs({ scheduledNs, startNs }: Claim): number[] {
  return scheduledNs === null || startNs === null ? [] : [(startNs - scheduledNs) / 1e6];
}

/** A user who thinks no time keeps a request in flight until there are none left to start. */
function inFlightPct(truths: readonly TruthRequest[], streams: number): number {
  const fromNs = least(truths.map((truth) => truth.firstByteNs));
  const untilNs = most(truths.map((truth) => truth.firstByteNs));
  if (untilNs <= fromNs) return 100;
  const busyNs = truths.reduce((sum, truth) => {
    const endNs = Math.min(truth.writeNs.at(-1) ?? truth.endNs, untilNs);
    return sum + Math.max(0, endNs - truth.firstByteNs);
  }, 0);
  return (100 * busyNs) / ((untilNs - fromNs) * streams);
}

function arrivalsOf(arrivalNs: readonly number[]): Arrivals {
  const sorted = [...arrivalNs].sort((a, b) => a - b);
  const gaps = sorted
    .slice(1)
    .map((at, index) => at - sorted[index]!)
    .sort((a, b) => a - b);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  const ks = gaps.reduce((worst, gap, index) => {
    const expected = 1 - Math.exp(-gap / mean);
    return Math.max(worst, expected - index / gaps.length, (index + 1) / gaps.length - expected);
  }, 0);
  return { perS: 1e9 / mean, gapCv: Math.sqrt(variance) / mean, ks, ksLimit: 1.358 / Math.sqrt(gaps.length) };
}

function least(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
}

function most(values: readonly number[]): number {
  return values.reduce((high, value) => Math.max(high, value), Number.NEGATIVE_INFINITY);
}
