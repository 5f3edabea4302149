import { randomBytes } from "node:crypto";
import { AppError } from "../core/app-error.ts";
import type { Secret } from "../core/secret.ts";
import type { Workload } from "../inputs/run-config.ts";
import type { Clock } from "../ports/clock.ts";
import type { ModelStream } from "../ports/model-stream.ts";
import { poissonArrivals } from "./arrivals.ts";
import { checkFirstAnswer } from "./check-endpoint.ts";
import { driveClosedLoop, driveOpenLoop, type Launch } from "./drive-load.ts";
import { type InFlight, inFlight } from "./in-flight.ts";
import type { LoadPoint, RequestTrace } from "./load-point.ts";
import { type Phase, phaseProgress } from "./phase-progress.ts";
import { digestOf, type PromptMaker, preparePrompts } from "./prompts.ts";
import { requestBody } from "./request-body.ts";
import { serverTokenizer } from "./server-tokenizer.ts";
import { startRequest } from "./start-request.ts";
import { toLoadPoint } from "./to-load-point.ts";

export interface RunWorkloadContext {
  readonly workload: Workload;
  /** Without /v1 and without a slash at the end. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: Secret | null;
  readonly models: ModelStream;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called as soon as a load point is finished, with its requests; awaited before the next one starts. */
  readonly onPoint: (point: LoadPoint, traces: readonly RequestTrace[]) => void | Promise<void>;
  /** Called for every request when it is over, the first one and those of the warm-up too. */
  readonly onTrace?: (trace: RequestTrace, phase: Phase) => void;
  readonly onProgress?: (line: string) => void;
  /** Ask the server for usage on every chunk (vLLM's `continuous_usage_stats`). */
  readonly usagePerChunk?: boolean;
}

/**
 * Measures a workload against a server: one first request that shows whether anything can be measured, then for each
 * repeat each level, the first time after warm-up waves with other prompts. Failed requests are data; an endpoint that
 * cannot be measured at all throws. When the signal aborts, requests in flight end as cancelled, the unfinished point
 * is handed over as invalid, and CANCELLED is thrown.
 */
export async function runWorkload(context: RunWorkloadContext): Promise<readonly LoadPoint[]> {
  const { workload, models, clock, signal } = context;
  throwIfCancelled(context);
  const tokenizer = serverTokenizer(models, context, signal);
  const prompts = await preparePrompts(workload, tokenizer);
  const requests = inFlight(clock, Math.min(workload.stallTimeoutMs, workload.totalTimeoutMs));
  const cancel = () => requests.cancelAll();
  signal.addEventListener("abort", cancel, { once: true });
  const runId = randomBytes(4).toString("hex");
  // Servers that tokenize are those that know the field; the same seed must not find its last run in a prefix cache.
  const cacheSalt = tokenizer.isPresent() ? runId : null;
  const run = { ...context, prompts, requests, runId, cacheSalt };
  const points: LoadPoint[] = [];
  try {
    await sendFirst(run);
    for (let repeat = 0; repeat < workload.repeats; repeat += 1) {
      for (const concurrency of workload.concurrency) {
        if (repeat === 0) await warmUp(run, concurrency);
        throwIfCancelled(context);
        points.push(await measure(run, concurrency, repeat));
        throwIfCancelled(context);
      }
    }
    return points;
  } finally {
    signal.removeEventListener("abort", cancel);
    requests.stop();
  }
}

interface Run extends RunWorkloadContext {
  readonly prompts: PromptMaker;
  readonly requests: InFlight;
  /** Makes request ids unique among all clients of the server. */
  readonly runId: string;
  readonly cacheSalt: string | null;
}

async function sendFirst(run: Run): Promise<void> {
  const { launch } = preparePhase(run, { kind: "first", concurrency: 1, repeat: 0, total: 1 });
  const trace = await launch(0, null);
  throwIfCancelled(run);
  checkFirstAnswer(trace, `${run.baseUrl}${run.workload.endpoint}`, run.model);
}

async function warmUp(run: Run, concurrency: number): Promise<void> {
  const total = concurrency * run.workload.warmupWaves;
  if (total === 0) return;
  const { launch } = preparePhase(run, { kind: "warm-up", concurrency, repeat: 0, total });
  await driveClosedLoop({ count: total, concurrency }, launch, run.signal);
}

async function measure(run: Run, concurrency: number, repeat: number): Promise<LoadPoint> {
  const { workload, clock, signal } = run;
  const total = workload.requestsPerLevel;
  const { launch, promptsSha256 } = preparePhase(run, { kind: "measure", concurrency, repeat, total });
  const startedAt = clock.isoNow();
  const traces =
    workload.requestRate === null
      ? await driveClosedLoop({ count: total, concurrency }, launch, signal)
      : await driveOpenLoop(arrivalsOf(workload, workload.requestRate, repeat), launch, clock, signal);
  const measured = { concurrency, repeat, startedAt, promptsSha256, cancelled: signal.aborted };
  const point = toLoadPoint(workload, measured, traces);
  await run.onPoint(point, traces);
  return point;
}

function arrivalsOf(workload: Workload, ratePerS: number, repeat: number): readonly number[] {
  return poissonArrivals(workload.requestsPerLevel, ratePerS, `${workload.seed}/arrivals/${repeat}`);
}

/** Makes all bodies of a phase before its clock starts, so that making them delays no request. */
function preparePhase(run: Run, phase: Phase): { launch: Launch; promptsSha256: string } {
  const { workload, models, clock, model, requests, apiKey } = run;
  const setName = `${phase.kind}/${phase.concurrency}/${phase.repeat}`;
  const prompts = run.prompts.make(setName, phase.total);
  const options = { model, usagePerChunk: run.usagePerChunk ?? false, cacheSalt: run.cacheSalt };
  const bodies = prompts.map((prompt) => requestBody(workload, prompt, options));
  const shared = {
    url: `${run.baseUrl}${workload.endpoint}`,
    apiKey,
    wantedTokens: workload.ignoreEos ? workload.outputTokens : null,
    stallTimeoutMs: workload.stallTimeoutMs,
    totalTimeoutMs: workload.totalTimeoutMs,
  };
  const progress = phaseProgress(workload, phase, clock.nowMs());

  const launch: Launch = async (index, scheduledMs) => {
    const rid = `arc-${run.runId}-${phase.kind}-${phase.concurrency}-${phase.repeat}-${index}`;
    const plan = { index, rid, body: bodies[index] ?? "", ...shared };
    // A body is as large as its prompt and is not needed again.
    bodies[index] = "";
    const trace = await requests.watch(startRequest(models, clock, plan, scheduledMs));
    run.onTrace?.(trace, phase);
    const line = progress.add(trace, requests.size, clock.nowMs());
    if (line !== null) run.onProgress?.(line);
    return trace;
  };
  return { launch, promptsSha256: digestOf(prompts) };
}

function throwIfCancelled({ signal, workload }: RunWorkloadContext): void {
  if (!signal.aborted) return;
  throw new AppError("CANCELLED", {
    message: `Cannot finish workload "${workload.name}": the run was cancelled`,
    hint: "Run again when ready; finished load points are kept",
  });
}
