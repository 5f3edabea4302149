import { z } from "zod";
import { toMs } from "../config/field-kinds.ts";
import type { Workload } from "../config/run-config.ts";

export function url() {
  const error = "a URL such as http://127.0.0.1:8000";
  return z.string().regex(/^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/, { error });
}

export function levels() {
  const error = "a number from 1 to 4096, or several with commas";
  return z
    .string()
    .regex(/^\d{1,4}(?:,\d{1,4})*$/, { error })
    .transform((written) => written.split(",").map(Number))
    .refine((numbers) => numbers.every((number) => number >= 1 && number <= 4096), { error })
    .refine((numbers) => new Set(numbers).size === numbers.length, { error: "every level only once" });
}

export function rate() {
  const error = 'a number of requests per second above 0, or "inf"';
  return z
    .string()
    .regex(/^(?:inf|\d+(?:\.\d+)?)$/, { error })
    .transform((written) => (written === "inf" ? null : Number(written)))
    .refine((number) => number === null || (number >= 0.001 && number <= 100_000), { error });
}

export function decimal(min: number, max: number) {
  const error = `a number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+(?:\.\d+)?$/, { error })
    .transform(Number)
    .refine((number) => number >= min && number <= max, { error });
}

export function seconds(min: number, max: number) {
  const error = `seconds from ${min} to ${max}`;
  return z
    .string()
    .transform((written) => (/^\d+(?:\.\d+)?$/.test(written) ? Number(written) : toMs(written) / 1000))
    .refine((number) => number >= min && number <= max, { error });
}

export function burstiness() {
  const error = 'a number from 0.01 to 100, or "inf"';
  return z
    .string()
    .regex(/^(?:inf|\d+(?:\.\d+)?)$/, { error })
    .transform((written) => (written === "inf" ? Number.POSITIVE_INFINITY : Number(written)))
    .refine((shape) => shape === Number.POSITIVE_INFINITY || (shape >= 0.01 && shape <= 100), { error });
}

/** Null: no fixed length, as vLLM's -1. */
export function fixedLength() {
  const error = "a number of tokens from 1 to 1000000, or -1";
  return z
    .string()
    .regex(/^(?:-1|\d{1,7})$/, { error })
    .transform((written) => (written === "-1" ? null : Number(written)))
    .refine((number) => number === null || (number >= 1 && number <= 1_000_000), { error });
}

/** vLLM calls the time of the whole answer e2el. */
export function goodput() {
  const error = "limits such as ttft:500,tpot:50,e2el:30000, each name once";
  return z
    .string()
    .regex(/^(?:ttft|tpot|e2el):\d+(?:\.\d+)?(?:[\s,]+(?:ttft|tpot|e2el):\d+(?:\.\d+)?)*$/, { error })
    .transform((written) => written.split(/[\s,]+/).map((part) => part.split(":") as [string, string]))
    .refine((parts) => new Set(parts.map(([name]) => name)).size === parts.length, { error })
    .transform((parts) => Object.fromEntries(parts.map(([name, ms]) => [SLO_FIELDS[name], Number(ms)])) as Slo);
}

type Slo = NonNullable<Workload["slo"]>;
const SLO_FIELDS: Readonly<Record<string, keyof Slo>> = { ttft: "ttftMs", tpot: "tpotMs", e2el: "e2eMs" };
