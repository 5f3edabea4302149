import type { RunConfig } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import type { Secret } from "../core/secret.ts";
import { type ConfigSource, loadConfig } from "../inputs/parse-config.ts";
import type { Overrides } from "../inputs/run-options.ts";
import { secretsOf } from "../inputs/secrets-of.ts";
import type { Files } from "../ports/files.ts";

const USUAL_PATH = "arc-vllm.yml";

/** Where secrets come from, and who must know them so that they are never printed. */
export interface Secrets {
  readonly lookUp: (name: string) => string | undefined;
  readonly hide: (secret: Secret) => void;
}

/** The configuration of a run: the file, if there is one, with the options over it. Throws what `loadConfig` throws. */
export async function readConfig(overrides: Overrides, files: Files, secrets: Secrets): Promise<RunConfig> {
  const config = loadConfig(await readConfigFile(overrides, files), overrides, secrets.lookUp);
  for (const secret of secretsOf(config)) secrets.hide(secret);
  return config;
}

/** The file that was named, which must exist, or the usual one when it is there. Throws CONFIG_NOT_FOUND. */
export async function readConfigFile(overrides: Overrides, files: Files): Promise<ConfigSource | null> {
  const named = overrides.options.config;
  const path = named ?? USUAL_PATH;
  const text = await files.read(path);
  if (text !== null) return { text, path };
  if (named === undefined) return null;
  throw new AppError("CONFIG_NOT_FOUND", {
    message: `Cannot read configuration "${path}": there is no such file`,
    hint: `Create it (examples/arc-vllm.yml is a start), or leave ${overrides.label("config")} out and name a host`,
  });
}
