import { z } from "zod";
import { ENDPOINTS } from "../config/endpoint-api.ts";

const text = z.string();
const count = z.int().nonnegative();
const optionalNumber = z.number().nullable();
const texts = z.array(z.string());

/** `Workload` as it stands in a record. */
export const workloadSchema = z.strictObject({
  name: text,
  endpoint: z.enum(ENDPOINTS),
  inputTokens: count.nullable(),
  outputTokens: count,
  lengthSpread: z.number().exactOptional(),
  prompts: z.strictObject({ path: text, outputLengths: z.enum(["file", "workload"]) }).exactOptional(),
  concurrency: z.array(count),
  requestsPerLevel: count,
  requestRate: optionalNumber,
  repeats: count,
  warmupWaves: count,
  seed: z.int(),
  ignoreEos: z.boolean(),
  temperature: z.number(),
  stallTimeoutMs: z.number(),
  totalTimeoutMs: z.number(),
  arrivals: z.enum(["poisson", "constant", "gamma"]).exactOptional(),
  burstiness: z.number().exactOptional(),
  rampFromRate: z.number().exactOptional(),
  ramp: z.literal("exponential").exactOptional(),
  maxConcurrency: count.exactOptional(),
  durationMs: z.number().exactOptional(),
  sessions: z
    .strictObject({
      turns: count.nullable(),
      turnInputTokens: count.nullable(),
      thinkMs: z.number(),
    })
    .exactOptional(),
  trace: z
    .strictObject({ path: text, speed: z.number(), blockTokens: count, unit: z.enum(["ms", "s"]) })
    .exactOptional(),
  sweep: z
    .strictObject({
      of: z.enum(["concurrency", "rate"]),
      from: z.number(),
      to: z.number(),
      minGainPct: z.number(),
      goodPct: z.number(),
      refinements: count,
    })
    .exactOptional(),
  usagePerChunk: z.boolean().exactOptional(),
  sharedPrefixTokens: count.exactOptional(),
  slo: z
    .strictObject({
      ttftMs: z.number().exactOptional(),
      tpotMs: z.number().exactOptional(),
      e2eMs: z.number().exactOptional(),
    })
    .exactOptional(),
});

const distribution = z.strictObject({
  n: count,
  mean: z.number(),
  p50: optionalNumber,
  p90: optionalNumber,
  p95: optionalNumber,
  p99: optionalNumber,
  min: optionalNumber,
  max: optionalNumber,
});

const outcomeName = z.enum([
  "ok",
  "http_4xx",
  "http_429",
  "http_5xx",
  "connect",
  "tls",
  "reset",
  "stall_timeout",
  "total_timeout",
  "sse_protocol",
  "midstream_error",
  "truncated",
  "length_mismatch",
  "cancelled",
]);

const gpuTelemetry = z.strictObject({
  bdf: text,
  clockMedianMhz: optionalNumber,
  clockMinMhz: optionalNumber,
  requestedMedianMhz: optionalNumber,
  windowMinMhz: optionalNumber,
  windowMaxMhz: optionalNumber,
  asleepPct: optionalNumber,
  throttledPct: optionalNumber,
  throttleReasons: texts,
  powerW: optionalNumber,
  temperatureMaxC: optionalNumber,
  vramUsedMaxMiB: optionalNumber,
});

const cpuTelemetry = z.strictObject({
  governor: text.nullable(),
  clockMedianMhz: optionalNumber,
  clockMinMhz: optionalNumber,
  fastestMedianMhz: optionalNumber,
  windowMinMhz: optionalNumber,
  hardwareMaxMhz: optionalNumber,
  busyPct: optionalNumber,
  load1Max: optionalNumber,
  powerW: optionalNumber,
});

const hostTelemetry = z.strictObject({
  window: z.enum(["plateau", "run"]),
  samples: count,
  gpus: z.array(gpuTelemetry),
  cpu: cpuTelemetry,
  gpuJPerToken: optionalNumber,
});

export const loopHealthSchema = z.strictObject({
  loopUtilization: z.number(),
  loopDelayP99Ms: z.number(),
  loopDelayMaxMs: z.number(),
  gcPauseMs: z.number(),
  cpuMs: z.number().exactOptional(),
});

/** `LoadPoint` as it stands in a record. */
export const loadPointSchema = z.strictObject({
  workload: text,
  concurrency: count,
  requestRate: optionalNumber,
  repeat: count,
  startedAt: text,
  durationMs: z.number().nonnegative(),
  requests: count,
  outcomes: z.partialRecord(outcomeName, count),
  metrics: z.strictObject({
    outputTokS: optionalNumber,
    totalTokS: optionalNumber,
    requestS: optionalNumber,
    successRatio: z.number().min(0).max(1),
    promptTokens: optionalNumber,
    outputTokens: optionalNumber,
    tokensPerChunk: optionalNumber,
    ttftMs: distribution.nullable(),
    tpotMs: distribution.nullable(),
    e2eMs: distribution.nullable(),
    chunkGapMs: distribution.nullable(),
    userTokS: distribution.nullable(),
    headersMs: distribution.nullable().exactOptional(),
    firstEventMs: distribution.nullable().exactOptional(),
    visibleTtftMs: distribution.nullable().exactOptional(),
    itlMs: distribution.nullable().exactOptional(),
    latenessMs: distribution.nullable().exactOptional(),
    longestGapMs: distribution.nullable().exactOptional(),
    coalescedRatio: optionalNumber.exactOptional(),
    queuedMs: distribution.nullable().exactOptional(),
    goodput: z.strictObject({ ratio: z.number(), requestS: z.number() }).nullable().exactOptional(),
  }),
  promptsSha256: text.exactOptional(),
  sweep: z.literal(true).exactOptional(),
  repeatedPromptRatio: z.number().exactOptional(),
  turns: z
    .array(
      z.strictObject({
        turn: count,
        requests: count,
        ok: count,
        promptTokens: distribution.nullable(),
        ttftMs: distribution.nullable(),
        tpotMs: distribution.nullable(),
        e2eMs: distribution.nullable(),
      }),
    )
    .exactOptional(),
  plateau: z
    .strictObject({
      fromMs: z.number(),
      durationMs: z.number(),
      requests: count,
      outputTokS: optionalNumber,
      requestS: optionalNumber,
      ttftMs: distribution.nullable(),
      tpotMs: distribution.nullable(),
      e2eMs: distribution.nullable(),
      littlesLaw: z
        .strictObject({
          inFlight: z.number(),
          predicted: z.number(),
          atStart: count,
          atEnd: count,
          tolerance: z.number(),
          holds: z.boolean(),
        })
        .nullable()
        .exactOptional(),
    })
    .nullable()
    .exactOptional(),
  server: z
    .strictObject({
      verdict: z.enum(["agrees", "differs", "not-checked"]),
      checks: z.array(
        z.strictObject({ name: text, client: optionalNumber, server: optionalNumber, ok: z.boolean(), limit: text }),
      ),
      runningMean: optionalNumber,
      runningMax: optionalNumber,
      waitingMax: optionalNumber,
      kvCacheUsageMax: optionalNumber,
      preemptions: optionalNumber,
      prefixHitRatio: optionalNumber,
    })
    .exactOptional(),
  output: z.strictObject({ sha256: text, sample: text, problems: texts }).exactOptional(),
  client: loopHealthSchema.exactOptional(),
  host: hostTelemetry.exactOptional(),
  warnings: texts,
});
