import { z } from "zod";
import { CERTIFICATE_SECONDS, CERTIFICATE_SECONDS_ABOUT, certificateSeconds } from "./certificate-seconds.ts";
import {
  durationText,
  flagText,
  integerText,
  line,
  names,
  type OptionTable,
  type OptionValues,
  option,
  parseOptions,
  secretText,
} from "./option-table.ts";

/** Every option of a run outside the file, as text. `npm run docs` writes action.yml and docs/inputs.md from it. */
export const RUN_OPTIONS = {
  config: option(line(), {
    description:
      "Path of the configuration file. Without it: arc-vllm.yml, if there is one; else options must say which host to use.",
    placeholder: "path",
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
  playbook: option(line(), {
    description: "Playbook name or path, instead of the file's.",
    group: "Configuration",
  }),
  "hosts-at-once": option(integerText(1, 64), {
    description:
      "How many hosts to work on at the same time. Without it: 4 for `run`, which measures one after the other whatever this is, else 16.",
    group: "Configuration",
    placeholder: "number",
    commands: ["run", "check", "provision", "undo"],
  }),
  "lock-timeout": option(durationText(0, 86_400_000), {
    description:
      "How long to wait for a host that another run has, such as `30m`, instead of the file's. Without both: 30 s for `run`, else not at all.",
    group: "Configuration",
    placeholder: "time",
    commands: ["run", "provision", "undo"],
  }),
  tags: option(names(), {
    description:
      "Only steps of the playbook with one of these tags, separated by commas, and those with the tag `always`.",
    group: "Configuration",
    placeholder: "names",
    commands: ["run", "check", "provision"],
  }),
  "skip-tags": option(names(), {
    description: "No steps of the playbook with one of these tags, separated by commas.",
    group: "Configuration",
    placeholder: "names",
    commands: ["run", "check", "provision"],
  }),
  diff: option(flagText(), {
    placeholder: null,
    description:
      "Show what `check` found to change line by line: files as unified diffs, packages and values as from and to.",
    defaultText: "false",
    group: "Configuration",
    commands: ["check"],
  }),
  run: option(line(), {
    description: "Run to put back, by its `runId` in `provision --json`.",
    defaultText: "the last one that changed something",
    placeholder: "id",
    group: "Configuration",
    sources: ["cli"],
    commands: ["undo"],
  }),
  host: option(line(), {
    description: "One host as `user@address` or `user@address:port`, instead of the hosts of the file.",
    group: "One host without a file",
  }),
  local: option(flagText(), {
    placeholder: null,
    description: "Use this machine, without SSH, instead of the hosts of the file.",
    defaultText: "false",
    group: "One host without a file",
  }),
  user: option(line(), { description: "Login name for `host`.", group: "One host without a file" }),
  port: option(integerText(1, 65_535), {
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
    placeholder: null,
    description: "Let pull requests from forks use real hosts. Their code then runs beside your keys.",
    defaultText: "false",
    group: "Trust and login",
    sources: ["action"],
  }),
  baseline: option(line(), {
    description: "Record file or folder of records to compare with, instead of the file's.",
    group: "Gate and reports",
    placeholder: "path",
  }),
  current: option(line(), {
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
    placeholder: null,
    description: "Fail when there is nothing to compare with.",
    group: "Gate and reports",
  }),
  "allow-imported": option(flagText(), {
    placeholder: null,
    description: "Let records that `history import` made of other tools' results be baselines.",
    group: "Gate and reports",
  }),
  "certificate-seconds": option(certificateSeconds(), {
    description: CERTIFICATE_SECONDS_ABOUT,
    defaultText: String(CERTIFICATE_SECONDS),
    group: "Gate and reports",
    commands: ["run"],
    placeholder: "seconds",
  }),
  "report-dir": option(line(), {
    description: "Folder for junit.xml, summary.md, results.json and records.",
    group: "Gate and reports",
    placeholder: "folder",
  }),
} as const satisfies OptionTable;

export type RunOptionName = keyof typeof RUN_OPTIONS;
export type RunOptions = OptionValues<typeof RUN_OPTIONS>;

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
  return { options: parseOptions(RUN_OPTIONS, texts, label), label };
}
