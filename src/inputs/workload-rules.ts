import type { WorkloadEntry } from "./workload-schema.ts";

/** What is wrong between the fields of one workload. `longest` is the model's limit of tokens, null when it is not known. */
export function workloadProblems(
  workload: WorkloadEntry,
  longest: number | null,
): { readonly field: keyof WorkloadEntry; readonly text: string }[] {
  return [
    ...timeoutProblems(workload),
    ...lengthProblems(workload, longest),
    ...(workload["request-rate"] === null ? closedLoopProblems(workload) : openLoopProblems(workload)),
  ].map(([field, text]) => ({ field, text }));
}

type Found = [keyof WorkloadEntry, string];

function timeoutProblems(workload: WorkloadEntry): Found[] {
  const { "total-timeout": total, "stall-timeout": stall } = workload;
  return total > stall ? [] : [["total-timeout", `${total} ms is not above stall-timeout (${stall} ms)`]];
}

function lengthProblems(workload: WorkloadEntry, longest: number | null): Found[] {
  const { "input-tokens": input, "output-tokens": output, "shared-prefix-tokens": shared = 0 } = workload;
  if (workload.prompts !== undefined) return fileProblems(workload);
  if (input === undefined) return [["input-tokens", 'missing, wanted an integer from 1 to 1000000, or "prompts.file"']];
  const problems: Found[] = [];
  if (longest !== null && input + output > longest) {
    const text = `${input} + ${output} output tokens are over serve.flags.max-model-len (${longest})`;
    problems.push(["input-tokens", text]);
  }
  if (shared >= input)
    problems.push(["shared-prefix-tokens", `found ${shared}, wanted fewer than input-tokens (${input})`]);
  return problems;
}

/** Prompts of a file are sent as they are. */
function fileProblems(workload: WorkloadEntry): Found[] {
  return (["input-tokens", "shared-prefix-tokens"] as const)
    .filter((field) => workload[field] !== undefined)
    .map((field): Found => [field, 'found beside "prompts.file", wanted one of the two']);
}

/** Fields that only shape the arrivals of an open loop must not be accepted and then ignored. */
function closedLoopProblems(workload: WorkloadEntry): Found[] {
  const ofOpenLoops = ["arrivals", "burstiness", "ramp-from-rate", "max-concurrency"] as const;
  return ofOpenLoops
    .filter((field) => workload[field] !== undefined)
    .map((field): Found => [field, 'found without "request-rate", wanted both']);
}

function openLoopProblems(workload: WorkloadEntry): Found[] {
  const problems: Found[] = [];
  const { concurrency, burstiness, arrivals, "ramp-from-rate": from, "request-rate": to } = workload;
  if (concurrency.length > 1) {
    problems.push(["concurrency", `found ${concurrency.length} levels beside "request-rate", wanted one`]);
  }
  if (burstiness !== undefined && arrivals !== "gamma") {
    problems.push(["burstiness", 'found without "arrivals: gamma", wanted both']);
  }
  if (from !== undefined && to !== null && from >= to) {
    problems.push(["ramp-from-rate", `found ${from}, wanted less than request-rate (${to})`]);
  }
  return problems;
}
