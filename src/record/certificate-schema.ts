import { z } from "zod";
import { loopHealthSchema } from "./load-point-schema.ts";

const spread = z.strictObject({ p50: z.number(), p99: z.number() }).nullable();

/** `Certificate` as it stands in a record. */
export const certificateSchema = z.strictObject({
  startedAt: z.string(),
  attempts: z.int().positive(),
  machine: z.strictObject({ cpu: z.string(), cores: z.int(), node: z.string() }),
  load: z.strictObject({ streams: z.int(), eventsPerSecond: z.number() }),
  producedEventsPerSecond: z.number(),
  requests: z.int().nonnegative(),
  ttftErrorMs: spread,
  tpotErrorMs: spread,
  miscounted: z.int().nonnegative(),
  cpuPerEventUs: z.number().nullable(),
  serverUtilization: z.number(),
  client: loopHealthSchema.nullable(),
  problems: z.array(z.string()),
});
