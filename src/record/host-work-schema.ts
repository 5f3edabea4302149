import { z } from "zod";

const text = z.string();
const count = z.int().nonnegative();
const optionalText = z.string().nullable();

/** `HostPlan` as it stands in a record. */
export const planSchema = z.strictObject({
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

/** `ProvisionRecord` as it stands in a record. */
export const provisionSchema = z.strictObject({
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
      diff: optionalText.exactOptional(),
      output: optionalText,
      remedy: optionalText,
      durationMs: z.number(),
    }),
  ),
  reboots: count,
  converged: z.boolean().nullable(),
  durationMs: z.number(),
});
