import type { RequestTrace } from "../measure/load-point.ts";
import type { ModelStream } from "../ports/model-stream.ts";
import type { BodyOptions } from "../prompts/request-body.ts";
import { type Phase, type PhaseProgress, phaseProgress } from "./phase-progress.ts";
import type { Run } from "./run-workload.ts";
import { type Due, startRequest } from "./start-request.ts";

/** One request of a phase. */
export interface PhaseRequest {
  readonly index: number;
  readonly body: string;
  /** What it asks for. */
  readonly outputTokens: number;
}

/** Sends the requests of one phase, under ids of their own, and counts them. */
export interface PhaseSender {
  /** Names the prompts of the phase. */
  readonly setName: string;
  readonly bodyOptions: BodyOptions;
  readonly progress: PhaseProgress;
  send(request: PhaseRequest, due: Due, models?: Pick<ModelStream, "stream">): Promise<RequestTrace>;
}

export function phaseSender(run: Run, phase: Phase): PhaseSender {
  const { workload, clock, model, requests, apiKey } = run;
  const load = workload.requestRate === null ? phase.concurrency : `${workload.requestRate}rps`;
  const setName = `${phase.kind}-${load}-${phase.repeat}`;
  // vLLM allows no slash in it. The same seed, or the same file, must not find what an earlier phase or run left in a prefix cache.
  const cacheSalt = run.isVllmLike ? `arc-${run.runId}-${setName}` : null;
  const progress = phaseProgress(workload, phase, requests, clock.nowMs());
  return {
    setName,
    bodyOptions: { model, usagePerChunk: workload.usagePerChunk ?? false, cacheSalt },
    progress,
    async send({ index, body, outputTokens }, due, models = run.models) {
      const plan = {
        index,
        rid: `arc-${run.runId}-${setName}-${index}`,
        url: `${run.baseUrl}${workload.endpoint}`,
        body,
        apiKey,
        wantedTokens: workload.ignoreEos ? outputTokens : null,
        stallTimeoutMs: workload.stallTimeoutMs,
        totalTimeoutMs: workload.totalTimeoutMs,
        readers: run.readers,
      };
      const trace = await requests.watch(startRequest(models, clock, plan, due));
      run.onTrace?.(trace, phase);
      progress.add(trace);
      return trace;
    },
  };
}
