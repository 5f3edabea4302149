import { quotePosix } from "../core/quote-posix.ts";
import type { ScriptWork } from "../playbook/playbook.ts";
import { STEP_PRELUDE } from "../playbook/step-prelude.ts";

/**
 * A script that puts back what a step changed, kept on the host beside the recorded state: it needs neither the
 * playbook nor us, so that a person can run it by hand.
 */
export function undoScript(name: string, work: ScriptWork, ambient: Readonly<Record<string, string>>): string | null {
  if (work.undo === null) return null;
  const { CONTENT: _notNeeded, ...own } = work.env;
  const values = { ...ambient, ...own };
  const { ARC_STEP_DIR: _here, ...exported } = values;
  const exports = Object.entries(exported).map(([key, value]) => `export ${key}=${quotePosix(value)}`);
  return [
    "#!/bin/bash",
    `# Undoes the step ${JSON.stringify(name)}.`,
    ...exports,
    `export ARC_STEP_DIR="\${ARC_STEP_DIR:-\${0%/*}}"`,
    STEP_PRELUDE,
    work.undo,
    "",
  ].join("\n");
}
