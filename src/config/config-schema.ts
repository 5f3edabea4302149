import { z } from "zod";
import { line } from "./field-kinds.ts";
import { gateSchema } from "./gate-schema.ts";
import { hostsSchema } from "./hosts-schema.ts";
import { playbookSchema, serveSchema } from "./serve-schema.ts";
import { workloadsSchema } from "./workload-schema.ts";

/** `arc-vllm.yml`, version 1. Editor completion, docs/config.md and the error messages come from this schema. */
export const configSchema = z
  .strictObject({
    version: z.literal(1, { error: "1, the only version this release knows" }).describe("Version of the file format."),
    hosts: hostsSchema.prefault([]),
    playbook: playbookSchema.optional(),
    serve: serveSchema.optional(),
    workloads: workloadsSchema.prefault([]),
    gate: gateSchema.prefault({}),
    history: z
      .strictObject({
        store: z.literal("folder").default("folder").describe("Where records are kept."),
        path: line("a path", { description: "Folder of the records.", example: ".arc-vllm/history" }),
      })
      .optional()
      .describe("Where finished records are kept and baselines are looked for."),
    report: z
      .strictObject({
        dir: line("a path", { description: "Folder for junit.xml, summary.md, results.json and records." }).default(
          "arc-vllm-report",
        ),
      })
      .prefault({})
      .describe("Where reports go."),
  })
  .describe("Configuration of arc-vllm");

export type ConfigFile = z.output<typeof configSchema>;

let jsonSchema: Record<string, unknown> | undefined;

/** The JSON Schema of the file as a person writes it. */
export function configJsonSchema(): Record<string, unknown> {
  jsonSchema ??= z.toJSONSchema(configSchema, { io: "input" });
  return jsonSchema;
}
