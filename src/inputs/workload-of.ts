import type { SweepSpec, Workload } from "./run-config.ts";
import type { WorkloadEntry } from "./workload-schema.ts";

/** A workload of the file as the benchmark takes it. What the file leaves out and has no default stays absent. */
export function workloadOf(entry: WorkloadEntry): Workload {
  const { arrivals, burstiness, prompts, slo } = entry;
  return {
    name: entry.name,
    endpoint: entry.endpoint,
    inputTokens: entry["input-tokens"] ?? null,
    outputTokens: entry["output-tokens"],
    requestsPerLevel: entry["requests-per-level"],
    ...levelsOf(entry),
    repeats: entry.repeats,
    warmupWaves: entry["warmup-waves"],
    seed: entry.seed,
    ignoreEos: entry["ignore-eos"],
    temperature: entry.temperature,
    stallTimeoutMs: entry["stall-timeout"],
    totalTimeoutMs: entry["total-timeout"],
    ...whenGiven("prompts", prompts && { path: prompts.file, outputLengths: prompts["output-lengths"] }),
    ...whenGiven("arrivals", arrivals),
    ...whenGiven("burstiness", burstiness),
    ...whenGiven("rampFromRate", entry["ramp-from-rate"]),
    ...whenGiven("ramp", entry.ramp === "exponential" ? entry.ramp : undefined),
    ...whenGiven("maxConcurrency", entry["max-concurrency"]),
    ...whenGiven("durationMs", entry.duration),
    ...whenGiven("usagePerChunk", entry["usage-per-chunk"]),
    ...whenGiven("sharedPrefixTokens", entry["shared-prefix-tokens"]),
    ...whenGiven("slo", slo === undefined ? undefined : sloOf(slo)),
  };
}

/** A sweep starts at its first level, whatever it finds later. */
function levelsOf(entry: WorkloadEntry): Pick<Workload, "concurrency" | "requestRate" | "sweep"> {
  const sweep = entry.load?.sweep;
  if (sweep === undefined) return { concurrency: entry.concurrency, requestRate: entry["request-rate"] };
  return sweepLevels({
    of: sweep.of,
    from: sweep.from,
    to: sweep.to,
    minGainPct: sweep["min-gain-pct"],
    goodPct: sweep["good-pct"],
    refinements: sweep.refinements,
  });
}

export function sweepLevels(sweep: SweepSpec): Pick<Workload, "concurrency" | "requestRate"> & { sweep: SweepSpec } {
  const isRate = sweep.of === "rate";
  return { concurrency: [isRate ? 1 : sweep.from], requestRate: isRate ? sweep.from : null, sweep };
}

function sloOf(slo: NonNullable<WorkloadEntry["slo"]>): NonNullable<Workload["slo"]> {
  return { ...whenGiven("ttftMs", slo.ttft), ...whenGiven("tpotMs", slo.tpot), ...whenGiven("e2eMs", slo.e2e) };
}

function whenGiven<Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]: Value });
}
