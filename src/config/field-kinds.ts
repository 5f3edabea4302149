import { z } from "zod";

/** Words for what a field wants end a sentence: "found 0, wanted an integer from 1 to 65535". */
interface FieldText {
  readonly description: string;
  readonly example?: unknown;
}

/** A length of time: "500ms", "90s", "10m", "2h", or a number of seconds. Becomes milliseconds. */
export function duration(minMs: number, maxMs: number, text: FieldText) {
  const error = `a time such as "500ms", "90s" or "10m" (a plain number is seconds), from ${spell(minMs)} to ${spell(maxMs)}`;
  return z
    .union([z.number({ error }), z.string({ error }).regex(DURATION, { error })], { error })
    .meta({ title: "time", ...textOf(text) })
    .transform((written, context) => {
      const ms = toMs(written);
      if (ms >= minMs && ms <= maxMs) return ms;
      context.addIssue({ code: "custom", message: error });
      return z.NEVER;
    });
}

export function integer(min: number, max: number, text: FieldText) {
  const error = `an integer from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error }).meta(textOf(text));
}

export function number(min: number, max: number, text: FieldText) {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error }).meta(textOf(text));
}

/** One line of text that matches a pattern; `wanted` says the pattern in words. */
export function text(pattern: RegExp, wanted: string, about: FieldText) {
  return z.string({ error: wanted }).regex(pattern, { error: wanted }).meta(textOf(about));
}

export function flag(about: FieldText) {
  return z.boolean({ error: "true or false" }).meta(textOf(about));
}

export function choice<const Values extends readonly [string, ...string[]]>(values: Values, about: FieldText) {
  return z.enum(values).meta(textOf(about));
}

/** Names become files, JUnit test names and parts of commands; they stay plain. */
export function plainName(about: FieldText) {
  return text(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "a name of letters, digits, dots, dashes and underscores", about);
}

/** A path or other one-line text. */
export function line(wanted: string, about: FieldText) {
  return text(/^[^\n\r\0]{1,4096}$/, wanted, about);
}

/** The name of an environment variable that holds a secret, never the secret itself. */
export function variableName(about: FieldText) {
  return text(VARIABLE, "the name of an environment variable, such as ARC_VLLM_SSH_PRIVATE_KEY", about);
}

export const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

const DURATION = /^\d+(?:\.\d+)?\s*(?:ms|s|m|h)$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a written duration; NaN when it is not one. */
export function toMs(written: string | number): number {
  if (typeof written === "number") return written * 1000;
  const [, amount, unit] = /^([\d.]+)\s*(ms|s|m|h)$/.exec(written) ?? [];
  return Number(amount) * (UNIT_MS[unit ?? ""] ?? Number.NaN);
}

function spell(ms: number): string {
  const [unit, size] = Object.entries(UNIT_MS)
    .reverse()
    .find(([, size]) => ms >= size && ms % size === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}

function textOf({ description, example }: FieldText) {
  return example === undefined ? { description } : { description, examples: [example] };
}
