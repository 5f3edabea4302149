import { z } from "zod";
import { certificateSchema } from "./certificate-schema.ts";
import { factsSchema } from "./host-facts-schema.ts";
import { planSchema, provisionSchema } from "./host-work-schema.ts";
import { loadPointSchema, workloadSchema } from "./load-point-schema.ts";
import type { RunRecord } from "./run-record.ts";

const text = z.string();
const count = z.int().nonnegative();
const optionalNumber = z.number().nullable();
const optionalText = z.string().nullable();
const texts = z.array(z.string());

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
  tunnel: z.strictObject({ roundTripMs: optionalNumber, directMs: optionalNumber }).exactOptional(),
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
  facts: factsSchema.nullable(),
  plan: planSchema.nullable(),
  provision: provisionSchema.nullable(),
  deployment: deployment.nullable(),
  workloads: z.array(workloadSchema),
  points: z.array(loadPointSchema),
  certificate: certificateSchema.nullable().exactOptional(),
  fingerprint: z.strictObject({ hard: text, soft: text, hardFields: fields, softFields: fields }).nullable(),
  validity: z.strictObject({ ok: z.boolean(), reasons: texts }),
  eligible: z.boolean(),
  warnings: texts,
  imported: z
    .strictObject({ tool: text, toolVersion: optionalText, model: optionalText, files: texts })
    .exactOptional(),
  failure: z.strictObject({ code: text, message: text, hint: text }).nullable(),
});

// Both directions: a field added to the type or to the schema alone stops the build here.
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;
export const schemaMatchesType: Same<Written<z.output<typeof runRecordSchema>>, Written<RunRecord>> = true;

/** Without optional marks, because a field that one side lacks altogether would pass for an optional one. */
type Written<T> = T extends object ? { readonly [K in keyof T]-?: Written<T[K]> } : T;
