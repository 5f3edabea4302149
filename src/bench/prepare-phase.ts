import { digestOf, type Prompt } from "../prompts/prompts.ts";
import { requestBody } from "../prompts/request-body.ts";
import type { Launch } from "./drive-load.ts";
import type { Phase, PhaseProgress } from "./phase-progress.ts";
import { phaseSender } from "./phase-sender.ts";
import type { Run } from "./run-workload.ts";

export interface PreparedPhase {
  readonly launch: Launch;
  readonly promptsSha256: string;
  readonly progress: PhaseProgress;
}

/** Makes the bodies of a phase before its clock starts, so that making them delays no request. */
export function preparePhase(run: Run, phase: Phase): PreparedPhase {
  const { workload } = run;
  const { setName, bodyOptions, progress, send } = phaseSender(run, phase);
  const prompts = run.prompts.make(setName, phase.total);
  const takeBody = bodiesOf(prompts, run.prompts.isLazy ?? false, (prompt) =>
    requestBody(workload, prompt, bodyOptions),
  );
  // Not the prompts themselves: what a phase holds on to is copied by the garbage collector while it measures.
  const outputTokens = prompts.map((prompt) => prompt.outputTokens ?? workload.outputTokens);
  const promptsSha256 = run.prompts.digest?.(setName, phase.total) ?? digestOf(prompts);
  const launch: Launch = (index, due) =>
    send({ index, body: takeBody(index), outputTokens: outputTokens[index] ?? workload.outputTokens }, due);
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
