import { z } from "zod";
import type { AppError } from "../core/app-error.ts";
import { Secret } from "../core/secret.ts";
import { describeIssues, wantedWords } from "./config-problem.ts";
import { inputProblems } from "./input-problems.ts";

/** Where an option can be given: as an input of the Action, as a flag of the command line, or as both. */
export type OptionSource = "action" | "cli";

const name = /^[^\s,]+$/;

/** Every option of a run outside the file, as text. `npm run docs` writes action.yml and docs/inputs.md from it. */
export const RUN_OPTIONS = {
  config: option(text(), {
    description: "Path of the configuration file. Without the file, options must say which host to use.",
    defaultText: "arc-vllm.yml",
    group: "Configuration",
  }),
  command: option(z.enum(["run", "check", "provision", "compare", "demo"]), {
    description: "What to do: `run` everything, only `check` or `provision` hosts, `compare` two records, or `demo`.",
    defaultText: "run",
    group: "Configuration",
    sources: ["action"],
  }),
  hosts: option(names(), {
    description: "Names of the hosts of the file to use, separated by commas. Without it: all.",
    group: "Configuration",
    placeholder: "names",
  }),
  workloads: option(names(), {
    description: "Names of the workloads of the file to measure, separated by commas. Without it: all.",
    group: "Configuration",
    placeholder: "names",
  }),
  playbook: option(text(), {
    description: "Playbook name or path, instead of the file's.",
    group: "Configuration",
  }),
  host: option(text(), {
    description: "One host as `user@address` or `user@address:port`, instead of the hosts of the file.",
    group: "One host without a file",
  }),
  local: option(flagText(), {
    description: "Use this machine, without SSH, instead of the hosts of the file.",
    defaultText: "false",
    group: "One host without a file",
  }),
  user: option(text(), { description: "Login name for `host`.", group: "One host without a file" }),
  port: option(z.string().transform(Number).pipe(z.int().min(1).max(65_535)), {
    description: "SSH port for `host`.",
    group: "One host without a file",
    placeholder: "number",
  }),
  "host-key": option(names(), {
    description:
      "Fingerprints (`SHA256:…`) of host keys to accept, separated by commas or line breaks, for hosts that have none in the file.",
    group: "Trust and login",
    placeholder: "fingerprints",
  }),
  "known-hosts": option(z.string(), {
    description: "Lines of a `known_hosts` file, for hosts that have no host key in the file.",
    group: "Trust and login",
    sources: ["action"],
  }),
  "ssh-private-key": option(secretText(), {
    description: "Private key for hosts that name none in the file. A secret.",
    group: "Trust and login",
    sources: ["action"],
  }),
  "ssh-passphrase": option(secretText(), {
    description: "Passphrase of `ssh-private-key`. A secret.",
    group: "Trust and login",
    sources: ["action"],
  }),
  "api-key": option(secretText(), {
    description: "API key of the model server when the file names none. A secret.",
    group: "Trust and login",
    sources: ["action"],
  }),
  "allow-fork-pr": option(flagText(), {
    description: "Let pull requests from forks use real hosts. Their code then runs beside your keys.",
    defaultText: "false",
    group: "Trust and login",
    sources: ["action"],
  }),
  baseline: option(text(), {
    description: "Record file or folder of records to compare with, instead of the file's.",
    group: "Gate and reports",
    placeholder: "path",
  }),
  current: option(text(), {
    description: "Record file that `compare` judges.",
    group: "Gate and reports",
    sources: ["action"],
  }),
  mode: option(z.enum(["gate", "warn"]), {
    description: "`gate` fails on a regression, `warn` only says so.",
    group: "Gate and reports",
  }),
  "on-inconclusive": option(z.enum(["pass", "warn", "fail"]), {
    description: "What a comparison too noisy to decide does.",
    group: "Gate and reports",
  }),
  "require-comparison": option(flagText(), {
    description: "Fail when there is nothing to compare with.",
    group: "Gate and reports",
  }),
  "report-dir": option(text(), {
    description: "Folder for junit.xml, summary.md, results.json and records.",
    group: "Gate and reports",
    placeholder: "folder",
  }),
} as const satisfies Record<string, RunOption<z.ZodType>>;

export interface RunOption<Schema extends z.ZodType> {
  readonly schema: Schema;
  readonly description: string;
  /** Default as text; null: the file's value, or nothing. */
  readonly defaultText: string | null;
  readonly group: string;
  /** Word for the value in `--help`; null for a flag that takes none. */
  readonly placeholder: string;
  readonly sources: readonly OptionSource[];
}

export type RunOptionName = keyof typeof RUN_OPTIONS;
export type RunOptions = {
  readonly [Name in RunOptionName]?: z.output<(typeof RUN_OPTIONS)[Name]["schema"]>;
};

/** Options that were given, and how their source names them in messages: `input "port"` or `--port`. */
export interface Overrides {
  readonly options: RunOptions;
  readonly label: (name: string) => string;
}

export const NO_OVERRIDES: Overrides = { options: {}, label: (name) => name };

/** Checks options as texts; blank ones count as not given. Throws INPUT_INVALID with every problem. */
export function parseRunOptions(
  texts: Readonly<Record<string, string | undefined>>,
  label: (name: string) => string,
): Overrides {
  const options: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, { schema }] of Object.entries(RUN_OPTIONS)) {
    const written = texts[name];
    if (written === undefined || written.trim() === "") continue;
    const parsed = (schema as z.ZodType).safeParse(written.trim(), { error: wantedWords });
    if (parsed.success) options[name] = parsed.data;
    else problems.push(...describeIssues(parsed.error.issues, written).map(({ text }) => `${label(name)}: ${text}`));
  }
  if (problems.length > 0) throw optionsInvalid(problems);
  return { options: options as RunOptions, label };
}

export function optionsInvalid(problems: readonly string[]): AppError {
  return inputProblems("the options of this run", problems, "Correct the options above");
}

function option<Schema extends z.ZodType>(
  schema: Schema,
  about: Partial<Omit<RunOption<Schema>, "schema">> & { readonly description: string; readonly group: string },
): RunOption<Schema> {
  return { schema, defaultText: null, placeholder: "text", sources: ["action", "cli"], ...about };
}

function text() {
  const error = "one line of text";
  return z.string().regex(/^[^\n\r\0]{1,4096}$/, { error });
}

/** As @actions/core's getBooleanInput: YAML 1.2's spellings only. */
function flagText() {
  const error = "true or false";
  return z
    .string()
    .regex(/^(?:true|True|TRUE|false|False|FALSE)$/, { error })
    .transform((written) => written.toLowerCase() === "true");
}

function names() {
  return z
    .string()
    .transform((written) => written.split(/[\s,]+/).filter((part) => part !== ""))
    .pipe(z.array(z.string().regex(name)).min(1));
}

function secretText() {
  return z.string().transform((written) => new Secret(written));
}
