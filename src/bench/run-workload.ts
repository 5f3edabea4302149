import { randomBytes } from "node:crypto";
import type { Workload } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import type { Secret } from "../core/secret.ts";
import type { HostSamples } from "../measure/host-sample.ts";
import type { LoadPoint, OutputProbe, RequestTrace } from "../measure/load-point.ts";
import { sampleServer, serverCheckOf } from "../measure/server-check.ts";
import { type ServerCounters, serverCounterReader } from "../measure/server-counters.ts";
import { summarize } from "../measure/summarize.ts";
import { toLoadPoint } from "../measure/to-load-point.ts";
import type { Clock } from "../ports/clock.ts";
import type { LoopWatch } from "../ports/loop-watch.ts";
import type { ModelStream } from "../ports/model-stream.ts";
import { type PromptSources, promptMaker, sessionMaker } from "../prompts/prompt-maker.ts";
import type { PromptMaker } from "../prompts/prompts.ts";
import { serverTokenizer } from "../prompts/server-tokenizer.ts";
import type { SessionMaker } from "../prompts/session-maker.ts";
import { type ExchangeReaders, exchangeReaders } from "../stream/exchange-reader.ts";
import { checkFirstAnswer } from "./check-endpoint.ts";
import { driveClosedLoop } from "./drive-load.ts";
import { type InFlight, inFlight } from "./in-flight.ts";
import { everyLevel, type Level, type NextLevel } from "./levels.ts";
import { probeOutput } from "./output-probe.ts";
import type { Phase } from "./phase-progress.ts";
import { prepareLoad } from "./prepare-load.ts";
import { preparePhase } from "./prepare-phase.ts";
import { type ShowProgress, whileShowing } from "./progress-text.ts";

export interface RunWorkloadContext extends PromptSources {
  readonly workload: Workload;
  /** Without /v1 and without a slash at the end. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: Secret | null;
  readonly models: ModelStream;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called once the first request was answered, before anything is measured; awaited. */
  readonly onReady?: () => Promise<void>;
  /** Called as soon as a load point is finished, with its requests; awaited before the next one starts. */
  readonly onPoint: (point: LoadPoint, traces: readonly RequestTrace[]) => void | Promise<void>;
  /** Called for every request when it is over, the first one and those of the warm-up too. */
  readonly onTrace?: (trace: RequestTrace, phase: Phase) => void;
  /** Called about four times a second while requests are under way. */
  readonly onProgress?: ShowProgress;
  /** Tells how busy this process was; absent: nobody looks. */
  readonly loopWatch?: LoopWatch;
  /** What is seen of the host meanwhile (watchHost); it grows while the run goes on. */
  readonly hostSamples?: HostSamples;
  /** What to measure next, from the points so far, or null for the end; absent: every level of the workload, repeated. */
  readonly nextLevel?: NextLevel;
}

/**
 * Measures a workload against a server: one first request that shows whether anything can be measured, then level
 * after level, each the first time after warm-up waves with other prompts. Failed requests are data; an endpoint that
 * cannot be measured at all throws. When the signal aborts, requests in flight end as cancelled, the unfinished point
 * is handed over as invalid, and CANCELLED is thrown.
 */
export async function runWorkload(context: RunWorkloadContext): Promise<readonly LoadPoint[]> {
  const { workload, clock, signal } = context;
  throwIfCancelled(context);
  const requests = inFlight(clock, Math.min(workload.stallTimeoutMs, workload.totalTimeoutMs));
  const cancel = () => requests.cancelAll();
  signal.addEventListener("abort", cancel, { once: true });
  const points: LoadPoint[] = [];
  try {
    const run = await prepareRun(context, requests);
    await context.onReady?.();
    throwIfCancelled(context);
    const next = context.nextLevel ?? everyLevel(workload, context.traceRows);
    for (let level = next(points); level !== null; level = next(points)) {
      const atLevel = runAt(run, level, points.length + 1);
      if (level.repeat === 0) await warmUp(atLevel, level);
      throwIfCancelled(context);
      points.push(await measure(atLevel, level));
      throwIfCancelled(context);
    }
    return points;
  } finally {
    signal.removeEventListener("abort", cancel);
    requests.stop();
  }
}

function runAt(run: Run, { concurrency, requestRate, requests }: Level, index: number): Run {
  return {
    ...run,
    place: { ...run.place, index },
    workload: { ...run.workload, concurrency: [concurrency], requestRate, requestsPerLevel: requests },
  };
}

/** What stays the same for a whole run. */
export interface Run extends RunWorkloadContext {
  readonly prompts: PromptMaker;
  /** Null: requests stand alone. */
  readonly sessions: SessionMaker | null;
  readonly requests: InFlight;
  /** Makes request ids unique among all clients of the server. */
  readonly runId: string;
  /** The server speaks vLLM's dialect beyond OpenAI's: /tokenize, and fields that others may refuse. */
  readonly isVllmLike: boolean;
  readonly outputBefore: OutputProbe | null;
  readonly readers: ExchangeReaders;
  readonly readCounters: () => Promise<ServerCounters | null>;
  readonly place: Phase["place"];
}

async function prepareRun(context: RunWorkloadContext, requests: InFlight): Promise<Run> {
  const { workload, models, signal } = context;
  const tokenizer = serverTokenizer(models, context, signal);
  const prompts = await promptMaker(workload, context, tokenizer);
  const run: Run = {
    ...context,
    prompts,
    sessions: await sessionMaker(workload, context, prompts, tokenizer),
    requests,
    runId: randomBytes(4).toString("hex"),
    isVllmLike: tokenizer.isPresent(),
    outputBefore: null,
    readers: exchangeReaders(),
    readCounters: serverCounterReader(models, context, signal),
    place: { index: 1, of: context.nextLevel === undefined ? workload.concurrency.length * workload.repeats : null },
  };
  const { launch } = preparePhase(run, { kind: "first", concurrency: 1, repeat: 0, total: 1, place: run.place });
  const trace = await launch(0, { scheduledMs: null, queuedMs: 0 });
  throwIfCancelled(run);
  checkFirstAnswer(trace, `${run.baseUrl}${workload.endpoint}`, run.model);
  return { ...run, outputBefore: await probe(run) };
}

/** Waves of requests with other prompts, until one is about as fast as the one before: kernels compile per shape. */
async function warmUp(run: Run, { concurrency }: Level): Promise<void> {
  const { workload } = run;
  const { warmupWaves } = workload;
  let streams = concurrency;
  let before: number | null = null;
  for (let wave = 0; wave < warmupWaves + (warmupWaves > 1 ? MORE_WAVES : 0); wave += 1) {
    const phase = { concurrency: streams, repeat: wave, total: streams, place: run.place };
    const { launch, progress } = preparePhase(run, { kind: "warm-up", ...phase });
    const load = { count: streams, concurrency: streams, durationMs: null };
    const traces = await whileShowing(progress, run.onProgress, run.clock, () =>
      driveClosedLoop(load, launch, run.clock, run.signal),
    );
    const metrics = summarize(traces);
    const tpotMs = metrics.tpotMs?.p50 ?? null;
    const isSettled = tpotMs === null || (before !== null && Math.abs(tpotMs / before - 1) < SETTLED);
    if (run.signal.aborted || (wave + 1 >= warmupWaves && isSettled)) return;
    before = tpotMs;
    streams = streamsOf(workload, metrics.e2eMs?.p50 ?? null) ?? concurrency;
  }
}

/** How many requests an open loop will have in flight (Little's law), as far as answers are as fast as these; null: closed loop. */
function streamsOf({ requestRate, maxConcurrency, requestsPerLevel }: Workload, e2eMs: number | null): number | null {
  if (requestRate === null || e2eMs === null) return null;
  return Math.min(Math.ceil((requestRate * e2eMs) / 1000), maxConcurrency ?? requestsPerLevel, requestsPerLevel);
}

/** Change of the median TPOT from wave to wave that counts as settled, and how many more waves are tried for it. */
const SETTLED = 0.03;
const MORE_WAVES = 3;

async function measure(run: Run, level: Level): Promise<LoadPoint> {
  const { workload, clock, signal } = run;
  const { concurrency, repeat } = level;
  const load = await prepareLoad(run, level);
  const atOnce = workload.requestRate === null ? concurrency : (workload.maxConcurrency ?? 1);
  await run.models.open?.(run.baseUrl, Math.min(atOnce, workload.requestsPerLevel));
  const startedAt = clock.isoNow();
  const watch = run.loopWatch?.start();
  const { result: traces, samples } = await sampleServer(
    run.readCounters,
    clock,
    () => whileShowing(load.progress, run.onProgress, clock, load.drive),
    (before, after, done) => (after.successes ?? 0) - (before.successes ?? 0) >= done.length,
  );
  const client = watch?.end() ?? null;
  const output = signal.aborted ? null : await probe(run);
  const point = toLoadPoint(
    workload,
    {
      concurrency,
      repeat,
      startedAt,
      promptsSha256: load.promptsSha256,
      // With the history of a session every prompt has another length, and with a spread of lengths too.
      wantedPromptTokens: run.sessions === null && workload.lengthSpread === undefined ? workload.inputTokens : null,
      differentPrompts: run.prompts.different,
      repeatedPromptRatio: load.repeatedPromptRatio(traces),
      loadWarnings: load.warnings(traces),
      cancelled: signal.aborted,
      server: serverCheckOf(samples, traces),
      client,
      ...(run.hostSamples === undefined ? {} : { host: run.hostSamples }),
      output,
      outputBefore: run.outputBefore,
    },
    traces,
  );
  await run.onPoint(point, traces);
  return point;
}

async function probe(run: Run): Promise<OutputProbe | null> {
  const { models, workload, signal } = run;
  if (!run.isVllmLike) return null;
  return probeOutput(models, run, workload.endpoint, { timeoutMs: workload.stallTimeoutMs, signal });
}

function throwIfCancelled({ signal, workload }: RunWorkloadContext): void {
  if (!signal.aborted) return;
  throw new AppError("CANCELLED", {
    message: `Cannot finish workload "${workload.name}": the run was cancelled`,
    hint: "Run again when ready; finished load points are kept",
  });
}
