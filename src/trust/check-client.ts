import { runWorkload } from "../bench/run-workload.ts";
import type { Workload } from "../config/run-config.ts";
import type { RequestTrace } from "../measure/load-point.ts";
import type { Clock } from "../ports/clock.ts";
import type { LoopHealth, LoopWatch } from "../ports/loop-watch.ts";
import type { ModelStream } from "../ports/model-stream.ts";
import type { TruthPace, TruthServer } from "../ports/truth-server.ts";
import { type ClientError, clientErrorOf } from "./client-error.ts";
import { type ClientLoad, loadWords } from "./client-load.ts";

export interface CheckClientContext {
  readonly truth: TruthServer;
  readonly models: ModelStream;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly loopWatch: LoopWatch | null;
}

/** How this client did under one load. */
export interface ClientCheck extends ClientError {
  readonly load: ClientLoad;
  /** What came of the load once it was whole. */
  readonly producedEventsPerSecond: number;
  /** CPU time of this whole process per event with a token; null: nobody watched. */
  readonly cpuPerEventUs: number | null;
  /** Busy share of the truth server, 0 to 1. */
  readonly serverUtilization: number;
  readonly client: LoopHealth | null;
  /** Why this client is not to be trusted under this load, in words; empty: it is. */
  readonly problems: readonly string[];
}

/** Largest errors at the 99th percentile with which a client is fit for measuring. */
export const ERROR_LIMIT_MS = { ttft: 1, tpot: 0.1 } as const;
const LEAST_PRODUCED = 0.9;
const BUSY_SERVER = 0.9;

/** Answers are this long, and their first token takes the smaller of a time and a share of the whole answer. */
const TOKENS = 32;
const TTFT_MS = 200;
const TTFT_SHARE = 0.25;

/**
 * Drives this client for about `seconds` with a closed loop against a server that knows the truth. The first answers
 * are staggered over the time of one, so that the rest of the load comes evenly, and are left out.
 */
export async function checkClient(
  context: CheckClientContext,
  load: ClientLoad,
  seconds: number,
): Promise<ClientCheck> {
  const { truth, models, clock, signal, loopWatch } = context;
  const pace = paceOf(load);
  await truth.begin(pace);
  let traces: readonly RequestTrace[] = [];
  const [point] = await runWorkload({
    workload: workloadOf(load, seconds),
    baseUrl: truth.baseUrl,
    model: "truth@plain",
    apiKey: null,
    ...{ models, clock, signal },
    onPoint: (_, measured) => {
      traces = measured;
    },
    ...(loopWatch === null ? {} : { loopWatch }),
  });
  const { requests, loopUtilization } = await truth.read();
  const settled = traces.filter(({ index }) => index >= load.streams);
  const check = {
    load,
    producedEventsPerSecond: eventRate(traces, 2 * answerMs(load)),
    ...clientErrorOf(settled, requests),
    serverUtilization: loopUtilization,
    client: point?.client ?? null,
    cpuPerEventUs: cpuPerEventUs(point?.client, traces),
  };
  return { ...check, problems: problemsOf(check) };
}

/** How long the requests of a load take, one after the other. */
function answerMs({ streams, eventsPerSecond }: ClientLoad): number {
  return (TOKENS * streams * 1000) / eventsPerSecond;
}

function paceOf(load: ClientLoad): TruthPace {
  const wholeMs = answerMs(load);
  const ttftMs = Math.min(TTFT_MS, wholeMs * TTFT_SHARE);
  // The request before all others, which shows that anything is answered, is the first of the log.
  const stagger = { requests: load.streams + 1, overMs: wholeMs };
  return { ttftMs, itlMs: (wholeMs - ttftMs) / (TOKENS - 1), stagger };
}

function workloadOf(load: ClientLoad, seconds: number): Workload {
  const waves = Math.max(MORE_WAVES, Math.ceil((seconds * 1000) / answerMs(load)) + MORE_WAVES);
  return {
    name: loadWords(load),
    endpoint: "/v1/completions",
    inputTokens: 16,
    outputTokens: TOKENS,
    concurrency: [load.streams],
    requestsPerLevel: waves * load.streams,
    // At least one wave after the staggered one, which takes two answers' time.
    durationMs: Math.max(seconds * 1000, MORE_WAVES * answerMs(load)),
    requestRate: null,
    repeats: 1,
    warmupWaves: 0,
    seed: 0,
    ignoreEos: true,
    temperature: 0,
    stallTimeoutMs: 10_000,
    totalTimeoutMs: 60_000,
  };
}

const MORE_WAVES = 3;

function cpuPerEventUs(client: LoopHealth | undefined, traces: readonly RequestTrace[]): number | null {
  const events = traces.reduce((sum, { chunkMs }) => sum + chunkMs.length, 0);
  return client?.cpuMs === undefined || events === 0 ? null : (client.cpuMs * 1000) / events;
}

/** Events per second from `rampMs` after the first request until the last one was sent. */
function eventRate(traces: readonly RequestTrace[], rampMs: number): number {
  const sent = traces.map(({ sentMs }) => sentMs);
  const fromMs = Math.min(...sent) + rampMs;
  const toMs = Math.max(...sent);
  const events = traces.reduce((sum, { chunkMs }) => sum + chunkMs.filter((at) => at > fromMs && at <= toMs).length, 0);
  return toMs > fromMs ? (events * 1000) / (toMs - fromMs) : 0;
}

function problemsOf(check: Omit<ClientCheck, "problems">): string[] {
  const { load, ttftErrorMs, tpotErrorMs, miscounted, requests, producedEventsPerSecond, serverUtilization } = check;
  return [
    miscounted > 0 ? `${miscounted} of ${requests} requests were not booked as they were sent` : null,
    tooMuch("TTFT", ttftErrorMs?.p99 ?? null, ERROR_LIMIT_MS.ttft),
    tooMuch("TPOT", tpotErrorMs?.p99 ?? null, ERROR_LIMIT_MS.tpot),
    producedEventsPerSecond < LEAST_PRODUCED * load.eventsPerSecond
      ? `only ${Math.round(producedEventsPerSecond).toLocaleString("en-US")} events/s came of it`
      : null,
    serverUtilization > BUSY_SERVER
      ? `the truth server itself was busy for ${(serverUtilization * 100).toFixed(0)} % of the time`
      : null,
  ].filter((problem) => problem !== null);
}

function tooMuch(metric: string, p99: number | null, limitMs: number): string | null {
  if (p99 === null) return `no ${metric} could be compared`;
  return p99 <= limitMs ? null : `${metric} error p99 ${p99.toFixed(2)} ms, over ${limitMs} ms`;
}
