import type { PlaybookRef, RunConfig } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";

/** The playbook of a configuration, for commands that mean nothing without one. */
export function requirePlaybook(config: RunConfig): PlaybookRef {
  if (config.playbook !== null) return config.playbook;
  throw new AppError("INPUT_INVALID", {
    message: `Cannot provision: ${config.configPath ?? "the configuration"} names no playbook`,
    hint: 'Add "playbook: ubuntu-22.04-a770" to the configuration, or give --playbook',
  });
}
