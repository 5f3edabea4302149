import type { Workload } from "../config/run-config.ts";
import type { LoopHealth } from "../ports/loop-watch.ts";
import { clientWarnings } from "./client-warnings.ts";
import { quantileOf } from "./distribution.ts";
import type { HostSamples } from "./host-sample.ts";
import { type HostTelemetry, hostTelemetry } from "./host-telemetry.ts";
import { hostWarnings } from "./host-warnings.ts";
import { steadyWarnings } from "./littles-law.ts";
import {
  INVALIDATING_WARNING,
  type LoadPoint,
  type LoadPointMetrics,
  type Outcome,
  type OutputProbe,
  type Plateau,
  type RequestTrace,
  type ServerCheck,
} from "./load-point.ts";
import { plateauOf } from "./plateau.ts";
import { serverWarnings } from "./server-check.ts";
import { durationMsOf, latenessMsOf, summarize } from "./summarize.ts";
import { summarizeTurns } from "./turn-summary.ts";

export interface MeasuredPoint {
  readonly concurrency: number;
  readonly repeat: number;
  readonly startedAt: string;
  readonly promptsSha256: string;
  /** What every prompt should have; null: each has its own length. */
  readonly wantedPromptTokens: number | null;
  /** How many different prompts there were to choose from; null: one for each request. */
  readonly differentPrompts: number | null;
  /** Share of the prompt tokens that repeat the start of an earlier prompt on purpose; null: not known. */
  readonly repeatedPromptRatio: number | null;
  readonly loadWarnings: readonly string[];
  readonly cancelled: boolean;
  readonly server: ServerCheck;
  /** Null: nobody watched this client. */
  readonly client: LoopHealth | null;
  /** Absent: nobody looked at the host. */
  readonly host?: HostSamples;
  readonly output: OutputProbe | null;
  /** The probe before the run, which the one after the point should repeat. */
  readonly outputBefore: OutputProbe | null;
}

/** A schedule that is missed by more than this, at the 99th percentile, was not the load that was asked for. */
const LATENESS_FLOOR_MS = 5;
const LATENESS_SHARE_OF_GAP = 0.01;

/** The load point of requests that are all over. */
export function toLoadPoint(workload: Workload, measured: MeasuredPoint, traces: readonly RequestTrace[]): LoadPoint {
  const { concurrency, repeat, startedAt, promptsSha256 } = measured;
  const outcomes: Partial<Record<Outcome, number>> = {};
  for (const { outcome } of traces) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const metrics = summarize(traces, workload.slo);
  const turns = summarizeTurns(traces);
  const plateau = plateauOf(traces, workload.requestRate === null ? concurrency : null);
  const host = measured.host === undefined ? null : hostDuring(measured.host, plateau, metrics, traces);
  const durationMs = durationMsOf(traces);
  return {
    workload: workload.name,
    concurrency,
    requestRate: workload.requestRate,
    repeat,
    startedAt,
    durationMs,
    requests: traces.length,
    outcomes,
    metrics,
    plateau,
    promptsSha256,
    ...(workload.sweep === undefined ? {} : { sweep: true }),
    ...(measured.repeatedPromptRatio === null ? {} : { repeatedPromptRatio: measured.repeatedPromptRatio }),
    ...(turns.length === 0 ? {} : { turns }),
    server: measured.server,
    ...(measured.output === null ? {} : { output: measured.output }),
    ...(measured.client === null ? {} : { client: measured.client }),
    ...(host === null ? {} : { host }),
    warnings: [
      ...warningsOf(workload, measured, traces),
      ...steadyWarnings(plateau?.littlesLaw ?? null, traces),
      ...(measured.client === null ? [] : clientWarnings(measured.client, { ...workload, metrics, durationMs })),
      ...(host === null ? [] : hostWarnings(host)),
    ],
  };
}

/** One look tells nothing about power: a plateau between two looks gives way to the whole run. */
const LEAST_LOOKS = 2;

function hostDuring(
  seen: HostSamples,
  plateau: Plateau | null,
  metrics: LoadPointMetrics,
  traces: readonly RequestTrace[],
): HostTelemetry | null {
  const startMs = traces.reduce((least, trace) => Math.min(least, trace.scheduledMs), Number.POSITIVE_INFINITY);
  if (plateau !== null) {
    const fromMs = startMs + plateau.fromMs;
    const { outputTokS } = plateau;
    const full = hostTelemetry(seen, { window: "plateau", outputTokS, fromMs, toMs: fromMs + plateau.durationMs });
    if (full !== null && full.samples >= LEAST_LOOKS) return full;
  }
  const { outputTokS } = metrics;
  return hostTelemetry(seen, { window: "run", outputTokS, fromMs: startMs, toMs: startMs + durationMsOf(traces) });
}

function warningsOf(workload: Workload, measured: MeasuredPoint, traces: readonly RequestTrace[]): string[] {
  const ok = traces.filter((trace) => trace.outcome === "ok");
  const withoutUsage = ok.filter((trace) => trace.outputTokens === null).length;
  const estimated = ok.filter((trace) => trace.tokensEstimated).length;
  const resent = traces.filter((trace) => trace.resent).length;
  return [
    measured.cancelled
      ? `${INVALIDATING_WARNING}cancelled after ${traces.length} of ${workload.requestsPerLevel} requests`
      : null,
    latenessWarning(workload, traces),
    withoutUsage > 0 ? `${withoutUsage} of ${ok.length} answers carry no usage: their tokens are not known` : null,
    estimated > 0 ? `tokens are estimated: ${estimated} of ${ok.length} answers carry no usage` : null,
    ...measured.loadWarnings,
    promptLengthWarning(measured.wantedPromptTokens, ok),
    repetitionWarning(measured.differentPrompts, traces.length),
    resent > 0 ? `${resent} requests went out twice: the server had closed their idle connections` : null,
    ...serverWarnings(measured.server, workload.sharedPrefixTokens ?? measured.repeatedPromptRatio ?? 0),
    ...outputWarnings(measured),
    ...firstFailures(traces),
  ].filter((warning) => warning !== null);
}

function latenessWarning({ requestRate }: Workload, traces: readonly RequestTrace[]): string | null {
  if (requestRate === null) return null;
  const limitMs = Math.max(LATENESS_FLOOR_MS, (LATENESS_SHARE_OF_GAP * 1000) / requestRate);
  const p99 = quantileOf(traces.map(latenessMsOf), 0.99);
  if (p99 === null || p99 <= limitMs) return null;
  return `${INVALIDATING_WARNING}requests went out ${p99.toFixed(1)} ms late (p99), ${limitMs.toFixed(1)} ms are allowed`;
}

function promptLengthWarning(wanted: number | null, ok: readonly RequestTrace[]): string | null {
  if (wanted === null) return null;
  const counts = ok.map((trace) => trace.promptTokens).filter((count) => count !== null);
  const off = counts.filter((count) => count !== wanted);
  if (off.length === 0) return null;
  const range = `${Math.min(...off)} to ${Math.max(...off)}`;
  return `${off.length} of ${ok.length} prompts have ${range} tokens, ${wanted} are wanted`;
}

/** A prompt that was sent before is in the prefix cache of a server that has one. */
function repetitionWarning(different: number | null, requests: number): string | null {
  if (different === null || different >= requests) return null;
  return `${requests} requests used ${different} different prompts: a prefix cache makes the repeated ones faster`;
}

function outputWarnings({ output, outputBefore }: MeasuredPoint): string[] {
  if (output === null) return [];
  const changed = outputBefore !== null && outputBefore.sha256 !== output.sha256;
  return [
    ...output.problems.map((problem) => `${INVALIDATING_WARNING}${problem} when asked a fixed question`),
    ...(changed ? ["the greedy answer to a fixed question is not the one from before the run"] : []),
  ];
}

/** The server's words, once for each way in which requests failed. */
function firstFailures(traces: readonly RequestTrace[]): string[] {
  const first = new Map<Outcome, RequestTrace>();
  for (const trace of traces) if (trace.outcome !== "ok" && !first.has(trace.outcome)) first.set(trace.outcome, trace);
  return [...first.values()]
    .filter(({ outcome }) => outcome !== "cancelled")
    .map(({ outcome, detail, rid }) => `${outcome}, first at ${rid}: ${detail ?? "no detail"}`);
}
