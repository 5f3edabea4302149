import { z } from "zod";
import { integerText, line, type OptionTable, option } from "./option-table.ts";

const value = { group: "History", sources: ["cli"] } as const;

/** A name that can stand in a record, in tables and as a folder. */
function name() {
  const error = "letters, digits, dots, dashes and underscores, without a leading dot";
  return z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/, { error });
}

/** Flags of `arc-vllm history`. */
export const HISTORY_FLAGS = {
  config: option(line(), {
    ...value,
    placeholder: "file",
    description: "Configuration file, for `history` and `gate`. Without it: arc-vllm.yml, if there is one.",
  }),
  folder: option(line(), {
    ...value,
    placeholder: "folder",
    description: "Folder of the records. Without it: that of the configuration, else .arc-vllm/history.",
  }),
  host: option(name(), {
    ...value,
    placeholder: "name",
    description: "Host to import for, as the configuration calls it.",
    defaultText: "imported",
  }),
  workload: option(name(), {
    ...value,
    placeholder: "name",
    description: "Workload to import for; load points are compared with those of the same workload.",
    defaultText: "imported",
  }),
  concurrency: option(integerText(1, 4096), {
    ...value,
    placeholder: "n",
    description: "Requests in flight, for files that do not say it.",
  }),
  out: option(line(), { ...value, placeholder: "folder", description: "Where to write.", defaultText: "." }),
} as const satisfies OptionTable;
