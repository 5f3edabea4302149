import type { Clock } from "../ports/clock.ts";
import { INVALIDATING_WARNING, type RequestTrace, type ServerCheck, type ServerComparison } from "./load-point.ts";
import type { Histogram, ServerCounters } from "./server-counters.ts";

/** The counters before a load point, about once a second during it, and after it. */
export type ServerSamples = readonly ServerCounters[];

const EVERY_MS = 1000;
/** vLLM counts a request a moment after its last byte has left. */
const SETTLE_MS = 100;
const SETTLE_TRIES = 5;

/** Client and server measure the same tokens: their mean may differ by rounding and by chance, not by more. */
const GAP_LIMIT_PCT = 2;
/** The client's first token includes HTTP, tokenizing and the way: more than this means that something is slow. */
const TTFT_LIMIT_MS = 10;
const PREFIX_HIT_LIMIT = 0.01;

/** Samples the server's counters while `work` runs. Empty when it has none. */
export async function sampleServer<T>(
  read: () => Promise<ServerCounters | null>,
  clock: Clock,
  work: () => Promise<T>,
  isSettled: (before: ServerCounters, after: ServerCounters, result: T) => boolean,
): Promise<{ result: T; samples: ServerSamples }> {
  const before = await read();
  if (before === null) return { result: await work(), samples: [] };
  const samples = [before];
  const over = new AbortController();
  const sampling = (async () => {
    await clock.sleep(EVERY_MS, over.signal);
    while (!over.signal.aborted) {
      const sample = await read();
      if (sample !== null) samples.push(sample);
      await clock.sleep(EVERY_MS, over.signal);
    }
  })();
  try {
    const result = await work();
    over.abort();
    await sampling;
    for (let attempt = 0; attempt < SETTLE_TRIES; attempt += 1) {
      const after = await read();
      if (after !== null) samples.push(after);
      if (after !== null && isSettled(before, after, result)) break;
      await clock.sleep(SETTLE_MS);
    }
    return { result, samples };
  } finally {
    over.abort();
  }
}

/** Compares what the server counted during a load point with what the client saw of it. */
export function serverCheckOf(samples: ServerSamples, traces: readonly RequestTrace[]): ServerCheck {
  const [before, after] = [samples[0], samples.at(-1)];
  if (before === undefined || after === undefined || samples.length < 2) return NOT_CHECKED;
  const during = samples.slice(1, -1);
  const checks = compare(before, after, traces);
  const queries = difference(before.prefixQueries, after.prefixQueries);
  const hits = difference(before.prefixHits, after.prefixHits);
  return {
    verdict: checks.length === 0 ? "not-checked" : checks.every((check) => check.ok) ? "agrees" : "differs",
    checks,
    runningMean: mean(known(during.map((sample) => sample.running))),
    runningMax: most(known(during.map((sample) => sample.running))),
    waitingMax: most(known(during.map((sample) => sample.waiting))),
    kvCacheUsageMax: most(known(during.map((sample) => sample.kvCacheUsage))),
    preemptions: difference(before.preemptions, after.preemptions),
    prefixHitRatio: queries === null || hits === null || queries === 0 ? null : hits / queries,
  };
}

/** What a user must know about a check; a count that does not fit means that the load was not only ours. */
export function serverWarnings(check: ServerCheck, sharedPrefixTokens: number): string[] {
  const failed = check.checks.filter(({ ok }) => !ok);
  const hits = check.prefixHitRatio ?? 0;
  return [
    ...failed.map(({ name, client, server, limit }) => {
      const text = `${name}: ${shown(client)} here, ${shown(server)} by the server's own count; ${limit}`;
      return EXACT.has(name) ? `${INVALIDATING_WARNING}${text}` : text;
    }),
    ...(hits > PREFIX_HIT_LIMIT && sharedPrefixTokens === 0
      ? [
          `the server's prefix cache answered ${(hits * 100).toFixed(1)} % of the prompt tokens; none are shared on purpose`,
        ]
      : []),
    ...((check.preemptions ?? 0) > 0
      ? [`the server preempted requests ${check.preemptions} times: its cache is full`]
      : []),
  ];
}

const EXACT = new Set(["output tokens", "prompt tokens", "complete requests"]);

function compare(before: ServerCounters, after: ServerCounters, traces: readonly RequestTrace[]): ServerComparison[] {
  // What the server did for a request that failed here is not known here.
  if (traces.length === 0 || traces.some((trace) => trace.outcome !== "ok")) return [];
  const counts = [
    exact("output tokens", sum(traces, "outputTokens"), difference(before.generationTokens, after.generationTokens)),
    exact("prompt tokens", sum(traces, "promptTokens"), difference(before.promptTokens, after.promptTokens)),
    exact("complete requests", traces.length, difference(before.successes, after.successes)),
  ].filter((check) => check !== null);
  // With other clients in the histograms their means say nothing about ours.
  if (counts.some((check) => !check.ok)) return counts;
  return [
    ...counts,
    ...[meanTtft(before, after, traces), meanGap(before, after, traces)].filter((check) => check !== null),
  ];
}

function exact(name: string, client: number | null, server: number | null): ServerComparison | null {
  if (client === null || server === null) return null;
  return { name, client, server, ok: client === server, limit: "they have to be equal" };
}

function meanTtft(
  before: ServerCounters,
  after: ServerCounters,
  traces: readonly RequestTrace[],
): ServerComparison | null {
  const server = meanMs(before.ttft, after.ttft);
  const client = mean(known(traces.map(({ firstMs, sentMs }) => (firstMs === null ? null : firstMs - sentMs))));
  if (server === null || client === null) return null;
  const ok = client - server >= -1 && client - server <= TTFT_LIMIT_MS;
  return { name: "mean TTFT ms", client, server, ok, limit: `at most ${TTFT_LIMIT_MS} ms more are expected here` };
}

/** The server has one sample of each token after the first: the same mean here is all decode time by all such tokens. */
function meanGap(
  before: ServerCounters,
  after: ServerCounters,
  traces: readonly RequestTrace[],
): ServerComparison | null {
  const server = meanMs(before.itl, after.itl);
  let decodeMs = 0;
  let tokens = 0;
  for (const { firstMs, lastMs, outputTokens } of traces) {
    if (firstMs === null || lastMs === null || outputTokens === null) return null;
    decodeMs += lastMs - firstMs;
    tokens += outputTokens - 1;
  }
  if (server === null || server <= 0 || tokens <= 0) return null;
  const client = decodeMs / tokens;
  const ok = Math.abs(client / server - 1) * 100 <= GAP_LIMIT_PCT;
  return { name: "mean time per token ms", client, server, ok, limit: `at most ${GAP_LIMIT_PCT} % apart is expected` };
}

const NOT_CHECKED: ServerCheck = {
  verdict: "not-checked",
  checks: [],
  runningMean: null,
  runningMax: null,
  waitingMax: null,
  kvCacheUsageMax: null,
  preemptions: null,
  prefixHitRatio: null,
};

function meanMs(before: Histogram | null, after: Histogram | null): number | null {
  const count = difference(before?.count ?? null, after?.count ?? null);
  const sumMs = difference(before?.sumMs ?? null, after?.sumMs ?? null);
  return count === null || sumMs === null || count <= 0 ? null : sumMs / count;
}

function difference(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : after - before;
}

function sum(traces: readonly RequestTrace[], field: "outputTokens" | "promptTokens"): number | null {
  const counts = known(traces.map((trace) => trace[field]));
  return counts.length < traces.length ? null : counts.reduce((total, count) => total + count, 0);
}

function known(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0) / values.length;
}

function most(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}

function shown(value: number | null): string {
  return value === null ? "unknown" : String(Number(value.toFixed(2)));
}
