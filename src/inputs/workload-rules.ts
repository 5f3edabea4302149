import type { WorkloadEntry } from "./workload-schema.ts";

/** What is wrong between the fields of one workload. `longest` is the model's limit of tokens, null when it is not known. */
export function workloadProblems(
  workload: WorkloadEntry,
  longest: number | null,
): { readonly field: keyof WorkloadEntry; readonly text: string }[] {
  return [
    ...timeoutProblems(workload),
    ...lengthProblems(workload, longest),
    ...sweepProblems(workload),
    ...(isClosedLoop(workload) ? closedLoopProblems(workload) : openLoopProblems(workload)),
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

function isClosedLoop(workload: WorkloadEntry): boolean {
  return workload["request-rate"] === null && workload.load?.sweep?.of !== "rate";
}

/** A sweep says its levels itself. */
function sweepProblems(workload: WorkloadEntry): Found[] {
  const sweep = workload.load?.sweep;
  if (workload.load !== undefined && sweep === undefined) return [["load", 'found {}, wanted "sweep"']];
  if (sweep === undefined) return [];
  const problems: Found[] = [];
  const { concurrency, "request-rate": rate, "ramp-from-rate": ramp } = workload;
  const beside = (field: keyof WorkloadEntry, isGiven: boolean) => {
    if (isGiven) problems.push([field, 'found beside "load.sweep", wanted one of the two']);
  };
  beside("concurrency", concurrency.length > 1 || concurrency[0] !== 1);
  beside("request-rate", rate !== null);
  beside("ramp-from-rate", ramp !== undefined);
  if (sweep.to <= sweep.from)
    problems.push(["load", `sweep.to is ${sweep.to}, wanted more than sweep.from (${sweep.from})`]);
  const isWhole = Number.isInteger(sweep.from) && Number.isInteger(sweep.to);
  if (sweep.of === "concurrency" && (!isWhole || sweep.to > 4096)) {
    problems.push(["load", `sweep of concurrency from ${sweep.from} to ${sweep.to}, wanted integers from 1 to 4096`]);
  }
  return problems;
}

/** Fields that only shape the arrivals of an open loop must not be accepted and then ignored. */
function closedLoopProblems(workload: WorkloadEntry): Found[] {
  const ofOpenLoops = ["arrivals", "burstiness", "ramp-from-rate", "ramp", "max-concurrency"] as const;
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
  if (workload.ramp !== undefined && from === undefined) {
    problems.push(["ramp", 'found without "ramp-from-rate", wanted both']);
  }
  if (from !== undefined && to !== null && from >= to) {
    problems.push(["ramp-from-rate", `found ${from}, wanted less than request-rate (${to})`]);
  }
  return problems;
}
