import { z } from "zod";
import type { HostFacts } from "../probe/host-facts.ts";
import { hostFingerprintFields } from "./fingerprint.ts";
import { factsSchema } from "./host-facts-schema.ts";

const fields = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** `host-facts.json`, version 1: what a host is, and what of that a comparison of two runs looks at. */
export const hostFactsFileSchema = z
  .strictObject({
    schema: z.literal("arc-vllm/host-facts/v1").describe("Version of the file format."),
    toolVersion: z.string().describe("Version of arc-vllm that read the host."),
    simulated: z.boolean().describe("True when the host is the embedded one."),
    fingerprint: z
      .strictObject({
        hardFields: fields.describe("What must be equal before two runs are compared."),
        softFields: fields.describe("What is shown when it differs between two runs."),
      })
      .describe("The part of a run's fingerprint that comes from its host. Null: not known."),
    facts: factsSchema.describe(
      "Everything that was read. Null: it could not be read, and `warnings` says why. `evidence` has the lines it was read from.",
    ),
  })
  .describe("What arc-vllm read from one host");

export type HostFactsFile = z.output<typeof hostFactsFileSchema>;

export interface HostFactsOrigin {
  readonly toolVersion: string;
  readonly simulated: boolean;
}

export function hostFactsFile(facts: HostFacts, { toolVersion, simulated }: HostFactsOrigin) {
  const fingerprint = hostFingerprintFields(facts);
  return { schema: "arc-vllm/host-facts/v1", toolVersion, simulated, fingerprint, facts } as const;
}

/** The JSON Schema of the file. */
export function hostFactsJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(hostFactsFileSchema);
}
