import type { Workload } from "./run-config.ts";
import type { WorkloadEntry } from "./workload-schema.ts";

/** A workload of the file as the benchmark takes it. What the file leaves out and has no default stays absent. */
export function workloadOf(entry: WorkloadEntry): Workload {
  const { arrivals, burstiness, prompts, slo } = entry;
  return {
    name: entry.name,
    endpoint: entry.endpoint,
    inputTokens: entry["input-tokens"] ?? null,
    outputTokens: entry["output-tokens"],
    concurrency: entry.concurrency,
    requestsPerLevel: entry["requests-per-level"],
    requestRate: entry["request-rate"],
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
    ...whenGiven("maxConcurrency", entry["max-concurrency"]),
    ...whenGiven("durationMs", entry.duration),
    ...whenGiven("usagePerChunk", entry["usage-per-chunk"]),
    ...whenGiven("sharedPrefixTokens", entry["shared-prefix-tokens"]),
    ...whenGiven("slo", slo === undefined ? undefined : sloOf(slo)),
  };
}

function sloOf(slo: NonNullable<WorkloadEntry["slo"]>): NonNullable<Workload["slo"]> {
  return { ...whenGiven("ttftMs", slo.ttft), ...whenGiven("tpotMs", slo.tpot), ...whenGiven("e2eMs", slo.e2e) };
}

function whenGiven<Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]: Value });
}
