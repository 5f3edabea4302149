import { AppError } from "../core/app-error.ts";
import { loadConfig } from "../inputs/parse-config.ts";
import type { RunConfig } from "../inputs/run-config.ts";
import type { Overrides } from "../inputs/run-options.ts";
import type { Files } from "../ports/files.ts";

const USUAL_PATH = "arc-vllm.yml";

/**
 * The configuration of a run: the file, if there is one, with the options over it. A file that was named must exist;
 * the usual one is read when it is there. Throws CONFIG_NOT_FOUND and what `loadConfig` throws.
 */
export async function readConfig(
  overrides: Overrides,
  files: Files,
  secrets: (name: string) => string | undefined,
): Promise<RunConfig> {
  const named = overrides.options.config;
  const path = named ?? USUAL_PATH;
  const text = await files.read(path);
  if (text === null && named !== undefined) {
    throw new AppError("CONFIG_NOT_FOUND", {
      message: `Cannot read configuration "${path}": there is no such file`,
      hint: `Create it (examples/arc-vllm.yml is a start), or leave ${overrides.label("config")} out and name a host`,
    });
  }
  return loadConfig(text === null ? null : { text, path }, overrides, secrets);
}
