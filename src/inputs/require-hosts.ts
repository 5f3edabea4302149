import type { HostSpec, RunConfig } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";

/** The hosts of a configuration, for commands that mean nothing without one. Throws INPUT_INVALID. */
export function requireHosts(config: RunConfig, command: string): readonly HostSpec[] {
  if (config.hosts.length > 0) return config.hosts;
  const where = config.configPath === null ? "there is no configuration file" : `"${config.configPath}" names none`;
  throw new AppError("INPUT_INVALID", {
    message: `Cannot ${command} without a host: ${where}`,
    hint: "Add hosts to arc-vllm.yml, or give one with --host user@address --host-key SHA256:…, or use --local",
  });
}
