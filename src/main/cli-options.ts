import type { Command } from "commander";
import type { OptionTable } from "../inputs/option-table.ts";

export type Texts = Readonly<Record<string, string | undefined>>;

/** Adds the options of a table to a command; a name without a placeholder is a switch. */
export function addOptions(
  command: Command,
  table: OptionTable,
  names: readonly string[] = Object.keys(table),
): Command {
  for (const name of names) {
    const spec = table[name];
    if (spec === undefined || !spec.sources.includes("cli")) continue;
    const flag = spec.placeholder === null ? `--${name}` : `--${name} <${spec.placeholder}>`;
    const usual = spec.defaultText === null || spec.placeholder === null ? "" : ` (default: ${spec.defaultText})`;
    command.option(flag, `${spec.description}${usual}`);
  }
  return command;
}

/** What was given on the command line, by the names of the table; what was not given is absent. */
export function optionTexts(table: OptionTable, values: Readonly<Record<string, unknown>>): Texts {
  return Object.fromEntries(
    Object.keys(table).flatMap((name) => {
      const value = values[camelCase(name)];
      return value === undefined ? [] : [[name, String(value)]];
    }),
  );
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
