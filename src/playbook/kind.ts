import type { ZodType } from "zod";
import type { ScriptWork, StepWork } from "./playbook.ts";

/** One kind of step: what may stand in the playbook under its name, and what it compiles to. */
export interface Kind<T> {
  readonly schema: ZodType<T>;
  readonly compile: (body: T, step: StepContext) => StepWork;
}

/** What a kind sees of the step around it. */
export interface StepContext {
  readonly hold: boolean;
  /** Text of files that the playbook names, by their path in the playbook. */
  readonly sources: ReadonlyMap<string, string>;
}

export function scriptWork(part: Partial<ScriptWork> & Pick<ScriptWork, "check" | "apply">): ScriptWork {
  return { type: "scripts", undo: null, afterReboot: null, env: {}, onDisconnect: "kill", ...part };
}

/** Bash of a playbook: it stops at the first command that fails, and at a variable that does not exist. */
export function strictBash(text: string): string {
  return `set -eu\n${text}\n`;
}
