import { digestOf, type Prompt } from "../prompts/prompts.ts";
import { requestBody } from "../prompts/request-body.ts";
import type { Launch } from "./drive-load.ts";
import { type Phase, type PhaseProgress, phaseProgress } from "./phase-progress.ts";
import type { Run } from "./run-workload.ts";
import { startRequest } from "./start-request.ts";

export interface PreparedPhase {
  readonly launch: Launch;
  readonly promptsSha256: string;
  readonly progress: PhaseProgress;
}

/** Makes the bodies of a phase before its clock starts, so that making them delays no request. */
export function preparePhase(run: Run, phase: Phase): PreparedPhase {
  const { workload, models, clock, model, requests, apiKey } = run;
  const load = workload.requestRate === null ? phase.concurrency : `${workload.requestRate}rps`;
  const setName = `${phase.kind}-${load}-${phase.repeat}`;
  const prompts = run.prompts.make(setName, phase.total);
  // vLLM allows no slash in it. The same seed, or the same file, must not find what an earlier phase or run left in a prefix cache.
  const cacheSalt = run.isVllmLike ? `arc-${run.runId}-${setName}` : null;
  const options = { model, usagePerChunk: workload.usagePerChunk ?? false, cacheSalt };
  const takeBody = bodiesOf(prompts, run.prompts.isLazy ?? false, (prompt) => requestBody(workload, prompt, options));
  // Not the prompts themselves: what a phase holds on to is copied by the garbage collector while it measures.
  const outputTokens = prompts.map((prompt) => prompt.outputTokens ?? workload.outputTokens);
  const promptsSha256 = run.prompts.digest?.(setName, phase.total) ?? digestOf(prompts);
  const progress = phaseProgress(workload, phase, requests, clock.nowMs());

  const launch: Launch = async (index, due) => {
    const plan = {
      index,
      rid: `arc-${run.runId}-${setName}-${index}`,
      url: `${run.baseUrl}${workload.endpoint}`,
      body: takeBody(index),
      apiKey,
      wantedTokens: workload.ignoreEos ? (outputTokens[index] ?? null) : null,
      stallTimeoutMs: workload.stallTimeoutMs,
      totalTimeoutMs: workload.totalTimeoutMs,
      readers: run.readers,
    };
    const trace = await requests.watch(startRequest(models, clock, plan, due));
    run.onTrace?.(trace, phase);
    progress.add(trace);
    return trace;
  };
  return { launch, promptsSha256, progress };
}

/** All bodies, made at once; of prompts that must not all be held, the next one as soon as one is taken. */
function bodiesOf(prompts: readonly Prompt[], isLazy: boolean, make: (prompt: Prompt) => string) {
  const bodies: string[] = isLazy ? [] : prompts.map(make);
  const makeReady = (index: number): string => {
    const prompt = prompts[index];
    bodies[index] ??= prompt === undefined ? "" : make(prompt);
    return bodies[index];
  };
  return (index: number): string => {
    const body = makeReady(index);
    // A body is as large as its prompt and is not needed again.
    bodies[index] = "";
    if (isLazy) setImmediate(makeReady, index + 1);
    return body;
  };
}
