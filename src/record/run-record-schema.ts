import { z } from "zod";
import type { RunRecord } from "./run-record.ts";

const text = z.string();
const count = z.int().nonnegative();
const optionalNumber = z.number().nullable();
const optionalText = text.nullable();
const texts = z.array(text);

const os = z.strictObject({ id: text, versionId: text, prettyName: text });

const kernel = z.strictObject({
  running: optionalText,
  installed: texts,
  grubDefault: optionalText,
  i915Path: optionalText,
  headers: z.boolean().nullable().exactOptional(),
  i915Loaded: z.enum(["dkms", "in-tree"]).nullable().exactOptional(),
});

const dkmsModule = z.strictObject({
  name: text,
  version: text,
  kernel: optionalText,
  state: z.enum(["added", "built", "installed"]),
  warning: optionalText,
});

const cpu = z.strictObject({
  model: optionalText,
  cores: optionalNumber,
  driver: optionalText,
  governor: optionalText,
  minMhz: optionalNumber,
  maxMhz: optionalNumber,
  hardwareMaxMhz: optionalNumber,
});

const gpuClock = z.strictObject({
  path: text,
  minMhz: optionalNumber,
  maxMhz: optionalNumber,
  floorMhz: optionalNumber,
  ceilingMhz: optionalNumber,
});

const gpuLink = z.strictObject({
  speedGts: optionalNumber,
  width: optionalNumber,
  maxSpeedGts: optionalNumber,
  maxWidth: optionalNumber,
});

const gpu = z.strictObject({
  bdf: text,
  deviceId: text,
  name: text,
  kind: z.enum(["discrete", "integrated"]),
  driver: optionalText,
  vramMiB: optionalNumber,
  bar2MiB: optionalNumber,
  bar2Start: optionalText,
  resizableBar: z.enum(["full", "partial", "off"]).nullable(),
  above4g: z.boolean().nullable(),
  clock: gpuClock.nullable(),
  renderNode: optionalText.exactOptional(),
  link: gpuLink.nullable().exactOptional(),
  throttle: texts.nullable().exactOptional(),
});

const facts = z.strictObject({
  host: text,
  readAt: text,
  os: os.nullable(),
  arch: optionalText,
  bootId: optionalText,
  kernel,
  secureBoot: z.enum(["enabled", "disabled", "not-efi"]).nullable(),
  dkms: z.array(dkmsModule).nullable(),
  packages: z.record(text, z.strictObject({ version: text, held: z.boolean() })),
  login: z.strictObject({ user: optionalText, groups: texts, canSudo: z.boolean().nullable() }),
  cpu: cpu.nullable(),
  memoryMiB: optionalNumber,
  gpus: z.array(gpu),
  renderNodes: texts,
  docker: optionalText,
  xpuSmi: optionalText,
  gpuProcesses: z
    .array(z.strictObject({ pid: count, command: text }))
    .nullable()
    .exactOptional(),
  evidence: z.record(text, text),
  warnings: texts,
});

const plan = z.strictObject({
  host: text,
  playbook: text,
  steps: z.array(
    z.strictObject({
      name: text,
      kind: text,
      status: z.enum(["ok", "would-change", "warning", "failed", "blocked", "skipped"]),
      before: optionalText,
      after: optionalText,
      evidence: optionalText,
      remedy: optionalText,
      diff: optionalText.exactOptional(),
    }),
  ),
  needsReboot: z.boolean(),
});

const provision = z.strictObject({
  host: text,
  runId: optionalText.exactOptional(),
  playbook: text,
  steps: z.array(
    z.strictObject({
      name: text,
      kind: text,
      status: z.enum(["ok", "changed", "warning", "failed", "blocked", "skipped"]),
      before: optionalText,
      after: optionalText,
      output: optionalText,
      remedy: optionalText,
      durationMs: z.number(),
    }),
  ),
  reboots: count,
  converged: z.boolean().nullable(),
  durationMs: z.number(),
});

const deployment = z.strictObject({
  host: text,
  engine: z.enum(["ipex-llm", "vllm", "url"]),
  baseUrl: text,
  servedModelName: text,
  engineVersion: optionalText,
  imageDigest: optionalText,
  argv: texts,
  env: z.record(text, text),
  tensorParallel: optionalNumber,
  maxModelLen: optionalNumber,
  startedAt: text,
  readyMs: optionalNumber,
});

const workload = z.strictObject({
  name: text,
  endpoint: z.enum(["/v1/completions", "/v1/chat/completions"]),
  inputTokens: count,
  outputTokens: count,
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
});

const distribution = z.strictObject({
  n: count,
  mean: z.number(),
  p50: z.number(),
  p90: optionalNumber,
  p95: optionalNumber,
  p99: optionalNumber,
  min: z.number(),
  max: z.number(),
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

const point = z.strictObject({
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
  }),
  promptsSha256: text.exactOptional(),
  warnings: texts,
});

const fields = z.record(text, z.union([text, z.number(), z.boolean(), z.null()]));

/** The `arc-vllm/v1` record. Strict: an unknown field is a mistake, and nothing is filled in. */
export const runRecordSchema = z.strictObject({
  schema: z.literal("arc-vllm/v1"),
  run: z.strictObject({
    id: text.min(1),
    attempt: count,
    url: optionalText,
    trigger: z.enum(["schedule", "pull_request", "push", "dispatch", "cli"]),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
    toolVersion: text,
  }),
  source: z.strictObject({ repo: optionalText, branch: optionalText, sha: optionalText }).nullable(),
  simulated: z.boolean(),
  state: z.enum(["partial", "complete"]),
  host: text.min(1),
  facts: facts.nullable(),
  plan: plan.nullable(),
  provision: provision.nullable(),
  deployment: deployment.nullable(),
  workloads: z.array(workload),
  points: z.array(point),
  fingerprint: z.strictObject({ hard: text, soft: text, hardFields: fields, softFields: fields }).nullable(),
  validity: z.strictObject({ ok: z.boolean(), reasons: texts }),
  eligible: z.boolean(),
  warnings: texts,
  failure: z.strictObject({ code: text, message: text, hint: text }).nullable(),
});

// Both directions: a field added to the type or to the schema alone stops the build here.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
export const schemaMatchesType: Same<DeepReadonly<z.output<typeof runRecordSchema>>, RunRecord> = true;

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;
