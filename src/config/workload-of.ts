import { OPEN_WEBUI_CHAT } from "./endpoint-api.ts";
import type { SessionSpec, SweepSpec, Workload } from "./run-config.ts";
import type { WorkloadEntry } from "./workload-schema.ts";

/** A workload of the file as the benchmark takes it. What the file leaves out and has no default stays absent. */
export function workloadOf(entry: WorkloadEntry): Workload {
  const { arrivals, burstiness, load, prompts, slo } = entry;
  return {
    name: entry.name,
    endpoint: entry.endpoint,
    inputTokens: entry["input-tokens"] ?? null,
    outputTokens: entry["output-tokens"] ?? TRACE_OUTPUT,
    ...levelsOf(entry),
    repeats: entry.repeats,
    warmupWaves: entry["warmup-waves"],
    seed: entry.seed,
    ignoreEos: entry["ignore-eos"] && entry.endpoint !== OPEN_WEBUI_CHAT,
    temperature: entry.temperature,
    stallTimeoutMs: entry["stall-timeout"],
    totalTimeoutMs: entry["total-timeout"],
    ...whenGiven("sessions", load?.sessions && sessionsOf(entry, load.sessions)),
    ...whenGiven("prompts", prompts && { path: prompts.file, outputLengths: prompts["output-lengths"] }),
    ...whenGiven("arrivals", arrivals),
    ...whenGiven("burstiness", burstiness),
    ...whenGiven("rampFromRate", entry["ramp-from-rate"]),
    ...whenGiven("ramp", entry.ramp === "exponential" ? entry.ramp : undefined),
    ...whenGiven("maxConcurrency", entry["max-concurrency"]),
    ...whenGiven("durationMs", entry.duration),
    ...whenGiven("usagePerChunk", entry["usage-per-chunk"]),
    ...whenGiven("sharedPrefixTokens", entry["shared-prefix-tokens"]),
    ...whenGiven("lengthSpread", entry["length-spread"]),
    ...whenGiven("slo", slo === undefined ? undefined : sloOf(slo)),
  };
}

/** Turns of a seeded session for which nobody says how many. */
export const USUAL_TURNS = 4;

type SessionsEntry = NonNullable<NonNullable<WorkloadEntry["load"]>["sessions"]>;

function sessionsOf(entry: WorkloadEntry, sessions: SessionsEntry): SessionSpec {
  const isFile = entry.prompts !== undefined;
  return {
    turns: sessions.turns ?? (isFile ? null : USUAL_TURNS),
    turnInputTokens: isFile ? null : (sessions["turn-input-tokens"] ?? entry["input-tokens"] ?? null),
    thinkMs: sessions["think-time"],
  };
}

/** Every request of a trace says how long its answer shall be: nothing depends on this number. */
export const TRACE_OUTPUT = 1;
/** All of a trace, unless it is cut. */
export const TRACE_REQUESTS = 1_000_000;

/** A sweep starts at its first level, whatever it finds later; a trace is one level. */
function levelsOf(
  entry: WorkloadEntry,
): Pick<Workload, "concurrency" | "requestRate" | "requestsPerLevel" | "sweep" | "trace"> {
  const { concurrency, "requests-per-level": requestsPerLevel, "request-rate": requestRate, load = {} } = entry;
  const { sweep, trace } = load;
  if (trace !== undefined) {
    const { file: path, speed, unit, "block-tokens": blockTokens, requests = TRACE_REQUESTS } = trace;
    return {
      concurrency: [1],
      requestRate: null,
      requestsPerLevel: requests,
      trace: { path, speed, blockTokens, unit },
    };
  }
  if (sweep === undefined) return { concurrency, requestRate, requestsPerLevel };
  const { of, from, to, refinements, "min-gain-pct": minGainPct, "good-pct": goodPct } = sweep;
  return { requestsPerLevel, ...sweepLevels({ of, from, to, minGainPct, goodPct, refinements }) };
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
