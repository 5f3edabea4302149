import type { Workload } from "../config/run-config.ts";
import type { LoadPoint } from "../measure/load-point.ts";

/** What a client has to follow: so many streams, which together bring so many events a second. */
export interface ClientLoad {
  readonly streams: number;
  readonly eventsPerSecond: number;
}

/** More than one Arc card emits to a single stream. */
const STREAM_EVENTS_PER_SECOND = 100;
/** Even a workload of one stream is certified for this many. */
const LEAST_STREAMS = 10;
/** More than all cards of a host emit together. */
const MOST_EVENTS_PER_SECOND = 20_000;
const MOST_STREAMS = 1024;

/** The load that workloads are about to bring, rather too high than too low: nothing is measured yet. */
export function expectedLoad(workloads: readonly Workload[]): ClientLoad {
  const streams = Math.min(MOST_STREAMS, Math.max(LEAST_STREAMS, ...workloads.map(expectedStreams)));
  return { streams, eventsPerSecond: Math.min(MOST_EVENTS_PER_SECOND, streams * STREAM_EVENTS_PER_SECOND) };
}

/** In an open loop by Little's law, for answers of 5 s. */
function expectedStreams({ requestRate, maxConcurrency, requestsPerLevel, concurrency }: Workload): number {
  const most = requestRate === null ? Math.max(...concurrency) : (maxConcurrency ?? requestRate * 5);
  return Math.ceil(Math.min(most, requestsPerLevel));
}

/** The load that a load point brought while it was whole; null: its tokens are not known. */
export function producedLoad(point: LoadPoint): ClientLoad | null {
  const { metrics, plateau, concurrency, requestRate, requests } = point;
  const tokS = plateau?.outputTokS ?? metrics.outputTokS;
  if (tokS === null || metrics.tokensPerChunk === null) return null;
  const { requestS, e2eMs } = plateau ?? metrics;
  // Little's law: what is in flight is what arrives in the time that one takes.
  const inFlight = Math.ceil(((requestS ?? 0) * (e2eMs?.mean ?? 0)) / 1000);
  return {
    streams: requestRate === null ? Math.min(concurrency, requests) : inFlight,
    eventsPerSecond: tokS / metrics.tokensPerChunk,
  };
}

/** At least as much of everything as any of these. */
export function mostOf(loads: readonly ClientLoad[]): ClientLoad {
  return {
    streams: Math.max(...loads.map(({ streams }) => streams)),
    eventsPerSecond: Math.max(...loads.map(({ eventsPerSecond }) => eventsPerSecond)),
  };
}

export function covers(certified: ClientLoad, load: ClientLoad): boolean {
  return load.streams <= certified.streams && load.eventsPerSecond <= certified.eventsPerSecond;
}

/** "64 streams and 6,400 events/s" */
export function loadWords({ streams, eventsPerSecond }: ClientLoad): string {
  const events = Math.round(eventsPerSecond).toLocaleString("en-US");
  return `${streams} ${streams === 1 ? "stream" : "streams"} and ${events} events/s`;
}
