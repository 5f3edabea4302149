import { nearestWord } from "../config/nearest-word.ts";
import { showValue } from "../core/show-value.ts";
import { optionsInvalid } from "./option-table.ts";
import { type Overrides, parseRunOptions, RUN_OPTIONS, type RunOptionName } from "./run-options.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The inputs of the Action from the environment the runner makes: `INPUT_` and the name in capitals, dashes kept.
 * Throws INPUT_INVALID for a wrong value and for an input that does not exist, of which the runner only warns.
 */
export function parseActionInputs(env: Environment): Overrides {
  const unknown = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !VARIABLES.has(name));
  if (unknown.length > 0) throw optionsInvalid(unknown.map(describeUnknown));
  const texts = Object.fromEntries(ACTION_INPUTS.map((name) => [name, env[variableOf(name)]]));
  return parseRunOptions(texts, (name) => `input "${name}"`);
}

/** Names of the inputs, in the order of action.yml. */
export const ACTION_INPUTS: readonly RunOptionName[] = (Object.keys(RUN_OPTIONS) as RunOptionName[]).filter((name) =>
  RUN_OPTIONS[name].sources.some((source) => source === "action"),
);

const PREFIX = "INPUT_";

function variableOf(name: string): string {
  return `${PREFIX}${name.toUpperCase()}`;
}

const VARIABLES: ReadonlySet<string> = new Set(ACTION_INPUTS.map(variableOf));

function describeUnknown(variable: string): string {
  const name = variable.slice(PREFIX.length).toLowerCase();
  const near = nearestWord(name, ACTION_INPUTS);
  const say = near === null ? `wanted one of ${ACTION_INPUTS.join(", ")}` : `did you mean "${near}"?`;
  return `input ${showValue(name)}: unknown, ${say}`;
}
