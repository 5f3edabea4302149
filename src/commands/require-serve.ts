import type { RunConfig, ServeSpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";

/** The serve section of a configuration, for commands that mean nothing without one. */
export function requireServe(config: RunConfig, command: string): ServeSpec {
  if (config.serve !== null) return config.serve;
  throw new AppError("INPUT_INVALID", {
    message: `Cannot ${command}: ${config.configPath ?? "the configuration"} has no section "serve"`,
    hint: 'Add a section "serve" with the engine and the model; examples/arc-vllm.yml shows one',
  });
}
