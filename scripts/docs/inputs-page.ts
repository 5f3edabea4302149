import { ACTION_INPUTS } from "../../src/inputs/action-inputs.ts";
import { ACTION_OUTPUTS } from "../../src/inputs/action-outputs.ts";
import { BENCH_FLAGS } from "../../src/inputs/bench-options.ts";
import type { OptionSpec, OptionTable } from "../../src/inputs/option-table.ts";
import { RUN_OPTIONS } from "../../src/inputs/run-options.ts";
import { SELF_TEST_FLAGS } from "../../src/inputs/self-test-options.ts";
import { code, GENERATED, table } from "./markdown.ts";

export function inputsPage(): string {
  return `${GENERATED}

# Inputs, outputs and flags

The Action's inputs and the command line's flags are one table: what the command line takes as \`--report-dir out\`,
the Action takes as \`report-dir: out\`. Both win over \`arc-vllm.yml\` ([config.md](config.md)). An empty input counts as
not given; an unknown input is an error.

## Inputs of the Action

${groupedInputs()}

## Outputs of the Action

${table(
  ["Output", "Description"],
  Object.entries(ACTION_OUTPUTS).map(([name, description]) => [code(name), description]),
)}

## Flags of the commands that read a configuration

Secrets are no flags, since other users of a machine can read them: the command line takes them from the environment,
as \`ARC_VLLM_SSH_PRIVATE_KEY\`, \`ARC_VLLM_SSH_PASSPHRASE\` and \`ARC_VLLM_API_KEY\`, or from the variables that the
configuration names.

${flagsTable(RUN_OPTIONS)}

## Flags of \`arc-vllm bench\`

${flagsTable(BENCH_FLAGS)}

## Flags of \`arc-vllm self-test\`

${flagsTable(SELF_TEST_FLAGS)}
`;
}

/** The table for the README. */
export function inputsTable(): string {
  return table(
    ["Input", "Default", "Description"],
    ACTION_INPUTS.map((name) => row(code(name), RUN_OPTIONS[name])),
  );
}

function groupedInputs(): string {
  const groups = [...new Set(ACTION_INPUTS.map((name) => RUN_OPTIONS[name].group))];
  return groups
    .map((group) => {
      const names = ACTION_INPUTS.filter((name) => RUN_OPTIONS[name].group === group);
      const rows = names.map((name) => row(code(name), RUN_OPTIONS[name]));
      return `### ${group}\n\n${table(["Input", "Default", "Description"], rows)}`;
    })
    .join("\n\n");
}

function flagsTable(options: OptionTable): string {
  const rows = Object.entries(options)
    .filter(([, { sources }]) => sources.includes("cli"))
    .map(([name, option]) => row(code(flagOf(name, option)), { ...option, description: aboutFlag(option) }));
  return table(["Flag", "Default", "Description"], rows);
}

function flagOf(name: string, { placeholder }: OptionSpec): string {
  return placeholder === null ? `--${name}` : `--${name} <${placeholder}>`;
}

function aboutFlag({ description, commands }: OptionSpec): string {
  return commands === undefined ? description : `${description} Only for ${commands.map(code).join(", ")}.`;
}

function row(name: string, { defaultText, description }: OptionSpec): string[] {
  return [name, defaultText === null ? "" : code(defaultText), description];
}
