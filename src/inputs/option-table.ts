import { z } from "zod";
import { describeIssues, wantedWords } from "../config/config-problem.ts";
import { duration } from "../config/field-kinds.ts";
import { inputProblems } from "../config/input-problems.ts";
import type { AppError } from "../core/app-error.ts";
import { Secret } from "../core/secret.ts";

/** Where an option can be given: as an input of the Action, as a flag of the command line, or as both. */
export type OptionSource = "action" | "cli";

export interface OptionSpec<Schema extends z.ZodType = z.ZodType> {
  /** From the text that was given to the value. */
  readonly schema: Schema;
  readonly description: string;
  /** Default as text; null: the file's value, or nothing. */
  readonly defaultText: string | null;
  readonly group: string;
  /** Word for the value in `--help`; null for a flag that takes none. */
  readonly placeholder: string | null;
  readonly sources: readonly OptionSource[];
  /** Commands of the command line that take it; absent: every command of the table. */
  readonly commands?: readonly string[];
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]?: z.output<Table[Name]["schema"]>;
};

/** Checks options as texts; blank ones count as not given. Throws INPUT_INVALID with every problem. */
export function parseOptions<Table extends OptionTable>(
  table: Table,
  texts: Readonly<Record<string, string | undefined>>,
  label: (name: string) => string,
): OptionValues<Table> {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, { schema }] of Object.entries(table)) {
    const written = texts[name]?.trim() ?? "";
    if (written === "") continue;
    const parsed = schema.safeParse(written, { error: wantedWords });
    if (parsed.success) values[name] = parsed.data;
    else problems.push(...describeIssues(parsed.error.issues, written).map(({ text }) => `${label(name)}: ${text}`));
  }
  if (problems.length > 0) throw optionsInvalid(problems);
  return values as OptionValues<Table>;
}

export function optionsInvalid(problems: readonly string[]): AppError {
  return inputProblems("the options of this run", problems, "Correct the options above");
}

export function option<Schema extends z.ZodType>(
  schema: Schema,
  about: Partial<Omit<OptionSpec, "schema">> & { readonly description: string; readonly group: string },
): OptionSpec<Schema> {
  return { schema, defaultText: null, placeholder: "text", sources: ["action", "cli"], ...about };
}

export function line() {
  const error = "one line of text";
  return z.string().regex(/^[^\n\r\0]{1,4096}$/, { error });
}

/** As @actions/core's getBooleanInput: YAML 1.2's spellings only. */
export function flagText() {
  const error = "true or false";
  return z
    .string()
    .regex(/^(?:true|True|TRUE|false|False|FALSE)$/, { error })
    .transform((written) => written.toLowerCase() === "true");
}

/** Words separated by commas, blanks or line breaks. */
export function names() {
  return z
    .string()
    .transform((written) => written.split(/[\s,]+/).filter((part) => part !== ""))
    .pipe(z.array(z.string()).min(1));
}

export function integerText(min: number, max: number) {
  const error = `an integer from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, { error })
    .transform(Number)
    .pipe(z.int({ error }).min(min, { error }).max(max, { error }));
}

/** "90s", "10m", or plain seconds, to milliseconds. */
export function durationText(minMs: number, maxMs: number) {
  return z
    .string()
    .transform((written) => (/^\d+$/.test(written) ? Number(written) : written))
    .pipe(duration(minMs, maxMs, { description: "A length of time" }));
}

export function secretText() {
  return z.string().transform((written) => new Secret(written));
}
