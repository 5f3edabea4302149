import type { WorkloadEntry } from "./workload-schema.ts";

/** What is wrong between the fields of one workload. `longest` is the model's limit of tokens, null when it is not known. */
export function workloadProblems(
  workload: WorkloadEntry,
  longest: number | null,
): { readonly field: keyof WorkloadEntry; readonly text: string }[] {
  return [
    ...timeoutProblems(workload),
    ...lengthProblems(workload, longest),
    ...shapeProblems(workload),
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
  if (workload.load?.trace !== undefined) return [];
  if (output === undefined) return [["output-tokens", 'missing, wanted an integer from 1 to 1000000, or "load.trace"']];
  if (workload.prompts !== undefined) return fileProblems(workload);
  if (input === undefined) return [["input-tokens", 'missing, wanted an integer from 1 to 1000000, or "prompts.file"']];
  const problems: Found[] = [];
  const spread = 1 + (workload["length-spread"] ?? 0);
  const [most, mostOutput] = [shared + Math.ceil((input - shared) * spread), Math.ceil(output * spread)];
  if (longest !== null && most + mostOutput > longest) {
    const text = `${most} + ${mostOutput} output tokens are over serve.flags.max-model-len (${longest})`;
    problems.push(["input-tokens", text]);
  }
  if (shared >= input)
    problems.push(["shared-prefix-tokens", `found ${shared}, wanted fewer than input-tokens (${input})`]);
  return problems;
}

/** Prompts of a file are sent as they are. */
function fileProblems(workload: WorkloadEntry): Found[] {
  return (["input-tokens", "shared-prefix-tokens", "length-spread"] as const)
    .filter((field) => workload[field] !== undefined)
    .map((field): Found => [field, 'found beside "prompts.file", wanted one of the two']);
}

function isClosedLoop(workload: WorkloadEntry): boolean {
  const { sweep, trace } = workload.load ?? {};
  return workload["request-rate"] === null && sweep?.of !== "rate" && trace === undefined;
}

/** Fields on which a shape of `load` decides itself, and whether they were given. */
function decidedBy(workload: WorkloadEntry): [keyof WorkloadEntry, boolean][] {
  const { load = {}, concurrency, "requests-per-level": requests, "request-rate": rate } = workload;
  const given = (...fields: (keyof WorkloadEntry)[]) =>
    fields.map((field): [keyof WorkloadEntry, boolean] => [field, workload[field] !== undefined]);
  const open: [keyof WorkloadEntry, boolean][] = [["request-rate", rate !== null], ...given("ramp-from-rate")];
  if (load.sessions !== undefined) return open;
  const level: [keyof WorkloadEntry, boolean] = ["concurrency", concurrency.length > 1 || concurrency[0] !== 1];
  if (load.trace === undefined) return [level, ...open];
  return [
    level,
    ...open,
    ["requests-per-level", requests !== 64],
    ...given(
      "input-tokens",
      "output-tokens",
      "prompts",
      "shared-prefix-tokens",
      "length-spread",
      "arrivals",
      "burstiness",
    ),
  ];
}

function shapeProblems(workload: WorkloadEntry): Found[] {
  const { load } = workload;
  if (load === undefined) return [];
  const shapes = Object.keys(load);
  const [shape] = shapes;
  if (shapes.length !== 1) {
    return [["load", `found ${shapes.join(" and ") || "{}"}, wanted one of "sweep", "trace", "sessions"`]];
  }
  return [
    ...decidedBy(workload)
      .filter(([, isGiven]) => isGiven)
      .map(([field]): Found => [field, `found beside "load.${shape}", which decides on it itself`]),
    ...(load.sweep === undefined ? [] : sweepProblems(load.sweep)),
    ...(load.sessions === undefined ? [] : sessionProblems(workload)),
  ];
}

function sessionProblems({ endpoint, prompts, load }: WorkloadEntry): Found[] {
  const problems: Found[] = [];
  if (endpoint === "/v1/completions") {
    problems.push(["endpoint", `found "${endpoint}" with "load.sessions", wanted one for chats`]);
  }
  if (prompts !== undefined && load?.sessions?.["turn-input-tokens"] !== undefined) {
    problems.push(["load", 'sessions.turn-input-tokens found beside "prompts.file", wanted one of the two']);
  }
  return problems;
}

function sweepProblems({ of, from, to }: NonNullable<NonNullable<WorkloadEntry["load"]>["sweep"]>): Found[] {
  const problems: Found[] = [];
  if (to <= from) problems.push(["load", `sweep.to is ${to}, wanted more than sweep.from (${from})`]);
  const isWhole = Number.isInteger(from) && Number.isInteger(to);
  if (of === "concurrency" && (!isWhole || to > 4096)) {
    problems.push(["load", `sweep of concurrency from ${from} to ${to}, wanted integers from 1 to 4096`]);
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
