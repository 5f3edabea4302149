import type { FlagValue } from "./run-config.ts";

/** Engine flags of a configuration: names without dashes. */
export type Flags = Readonly<Record<string, FlagValue>>;

/** One thing that is wrong, or only doubtful, with the engine flags of a configuration. */
export interface FlagProblem {
  readonly severity: "error" | "warning";
  readonly flag: string;
  /** The value as the user wrote it. */
  readonly value: string;
  /** What is wanted instead, as the end of a sentence: "an integer of 1 or more". */
  readonly wanted: string;
  /** Nearest flag name for one that is not known, else nearest value for a choice; null: nothing is near. */
  readonly nearest: string | null;
  /** The engine has no such flag; absent when only the value is wrong. */
  readonly unknown?: true;
}
