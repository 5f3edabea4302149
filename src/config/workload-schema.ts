import { z } from "zod";
import { ENDPOINTS } from "./endpoint-api.ts";
import { choice, duration, flag, integer, line, number, plainName } from "./field-kinds.ts";

const level = integer(1, 4096, { description: "Requests in flight." });
const levelsWanted = "a number or a list of numbers from 1 to 4096";
const rateWanted = 'a number of requests per second from 0.001 to 100000, or "inf"';

const sloSchema = z
  .strictObject({
    ttft: duration(1, 3_600_000, { description: "Time to the first token.", example: "500ms" }).optional(),
    tpot: duration(0.01, 60_000, { description: "Time per output token after the first.", example: "50ms" }).optional(),
    e2e: duration(1, 86_400_000, { description: "Time of the whole answer.", example: "30s" }).optional(),
  })
  .describe("Limits that an answer must keep to count for goodput.");

const sweepSchema = z
  .strictObject({
    of: choice(["concurrency", "rate"], { description: "What rises: requests in flight, or requests per second." }),
    from: number(0.001, 100_000, {
      description: "The first level. Each next one is twice the one before.",
    }).default(1),
    to: number(0.001, 100_000, { description: "No level above this is tried." }).default(256),
    "min-gain-pct": number(0, 100, {
      description: "The least gain of throughput for which a doubled concurrency still counts as worth it.",
    }).default(5),
    "good-pct": number(1, 100, {
      description: "Share of the requests that have to keep every limit of `slo`.",
    }).default(90),
    refinements: integer(0, 10, {
      description: "Levels that are tried between the highest one that holds and the lowest one that does not.",
    }).default(3),
  })
  .describe("Look for the highest load that the server holds.");

const traceSchema = z
  .strictObject({
    file: line("the path of a trace", {
      description: "JSONL with `timestamp`, `input_length`, `output_length` and `hash_ids`.",
      example: "mooncake_trace.jsonl",
    }),
    speed: number(0.001, 1000, { description: "2 replays the trace in half the time." }).default(1),
    "block-tokens": integer(1, 65_536, { description: "Tokens for which one of `hash_ids` stands." }).default(512),
    unit: choice(["ms", "s"], { description: "Unit of the timestamps; GuideLLM's traces have seconds." }).default("ms"),
    requests: integer(1, 1_000_000, {
      description: "Replay the first so many requests. Without it: all.",
      example: 1000,
    }).optional(),
  })
  .describe(
    "Replay a trace in Mooncake's format: when requests come, how long they are, and which prefixes they share.",
  );

const sessionsSchema = z
  .strictObject({
    turns: integer(1, 1000, {
      description: "Turns of each session. Without it: 4, or as many as the conversation in the file has.",
      example: 4,
    }).optional(),
    "turn-input-tokens": integer(1, 1_000_000, {
      description: "Tokens that each turn after the first adds. Without it: as many as the first has.",
      example: 64,
    }).optional(),
    "think-time": duration(0, 3_600_000, {
      description: "Pause before each turn after the first, where the file does not say one.",
    }).prefault("0s"),
  })
  .describe("Hold conversations: each turn is sent with all that was said and answered before.");

const loadSchema = z
  .strictObject({
    sweep: sweepSchema.optional(),
    trace: traceSchema.optional(),
    sessions: sessionsSchema.optional(),
  })
  .describe("Another shape of load than given levels or one rate.");

const promptsSchema = z
  .strictObject({
    file: line("the path of a prompt file", {
      description:
        "JSONL of vLLM, AIPerf, GuideLLM, fw-ai or an OpenAI batch, or ShareGPT conversations as JSON or JSONL.",
      example: "prompts.jsonl",
    }),
    "output-lengths": choice(["file", "workload"], {
      description:
        "Which answer length counts when the file has one too: the file's (of ShareGPT, that of the answer in it), or `output-tokens`.",
    }).default("file"),
  })
  .describe("Prompts from a file instead of seeded ones.");

export const workloadSchema = z.strictObject({
  name: plainName({ description: "Name in tables, records and JUnit.", example: "chat-1k" }),
  endpoint: choice(ENDPOINTS, {
    description:
      "Where requests go. Only `/v1/completions` takes prompts of an exact number of tokens. `/api/chat/completions` is Open WebUI's; it takes no `ignore-eos`, so answers may end early.",
  }).default("/v1/completions"),
  "input-tokens": integer(1, 1_000_000, {
    description: "Length of each prompt. Needed, except with `prompts.file` and `load.trace`.",
    example: 1024,
  }).optional(),
  "output-tokens": integer(1, 1_000_000, {
    description:
      "Length of each answer. A single token has no time per output token. Needed, except with `load.trace`.",
    example: 512,
  }).optional(),
  prompts: promptsSchema.optional(),
  load: loadSchema.optional(),
  concurrency: z
    .union([level, z.array(level, { error: levelsWanted }).min(1, { error: levelsWanted })], { error: levelsWanted })
    .transform((written) => (typeof written === "number" ? [written] : written))
    .refine((levels) => new Set(levels).size === levels.length, { error: "every level only once" })
    .prefault(1)
    .meta({
      title: "integer or list",
      description: "Requests kept in flight; a list is measured one level after the other.",
    }),
  "requests-per-level": integer(1, 1_000_000, {
    description: "Requests of one measurement. Percentiles need many: p90 64, p95 130, p99 662.",
  }).default(64),
  "request-rate": z
    .union([number(0.001, 100_000, { description: "Requests per second." }), z.literal("inf")], { error: rateWanted })
    .transform((written) => (written === "inf" ? null : written))
    .prefault("inf")
    .meta({
      title: "number or inf",
      description:
        "Requests per second with Poisson arrivals. `inf` keeps `concurrency` requests in flight instead (closed loop).",
    }),
  arrivals: choice(["poisson", "constant", "gamma"], {
    description: "Gaps between requests at a `request-rate`.",
  }).optional(),
  burstiness: number(0.01, 100, {
    description: "Shape of gamma gaps: below 1 requests come in bursts, above 1 more evenly.",
    example: 0.5,
  }).optional(),
  "ramp-from-rate": number(0.001, 100_000, {
    description: "Let the rate rise from this to `request-rate`.",
    example: 0.5,
  }).optional(),
  ramp: choice(["linear", "exponential"], {
    description: "How the rate rises from `ramp-from-rate`: by equal steps, or by an equal factor. Without it: linear.",
  }).optional(),
  "max-concurrency": integer(1, 4096, {
    description: "At most so many requests in flight at a `request-rate`. Waiting counts as latency.",
    example: 32,
  }).optional(),
  duration: duration(1000, 86_400_000, {
    description: "Start requests for this long, at most `requests-per-level` of them.",
    example: "2m",
  }).optional(),
  "shared-prefix-tokens": integer(0, 1_000_000, {
    description: "The first so many tokens are the same in all prompts, for servers with a prefix cache.",
    example: 512,
  }).optional(),
  "length-spread": number(0.01, 0.99, {
    description:
      "Let lengths of prompts and answers differ by up to this share, evenly: 0.2 makes 1024 into 819 to 1229. A shared prefix keeps its length.",
    example: 0.2,
  }).optional(),
  "usage-per-chunk": flag({
    description: "Ask the server for token counts with every chunk; gives a time per token inside chunks.",
  }).optional(),
  slo: sloSchema.optional(),
  repeats: integer(1, 100, {
    description: "How often each level is measured. Fewer than 3 rarely decide anything.",
  }).default(3),
  "warmup-waves": integer(0, 100, {
    description: "Waves of `concurrency` requests before each level is measured, with other prompts.",
  }).default(2),
  seed: integer(0, 2_147_483_647, {
    description: "Seed of the prompts. The same seed gives the same prompts.",
  }).default(0),
  "ignore-eos": flag({ description: "Let every answer run to its full length, so that runs compare." }).default(true),
  temperature: number(0, 2, { description: "Sampling temperature." }).default(0),
  "stall-timeout": duration(100, 3_600_000, {
    description: "A stream that sends nothing for this long has failed.",
  }).prefault("60s"),
  "total-timeout": duration(1000, 86_400_000, { description: "A request that takes longer has failed." }).prefault(
    "10m",
  ),
});

export const workloadsSchema = z
  .array(workloadSchema)
  .max(64, { error: "at most 64 workloads" })
  .describe("What to measure. Without it a server is started, proved ready and stopped.");

export type WorkloadEntry = z.output<typeof workloadSchema>;
