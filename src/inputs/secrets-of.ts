import type { RunConfig } from "../config/run-config.ts";
import type { Secret } from "../core/secret.ts";

/** Every secret of a configuration, for the consoles to hide. */
export function secretsOf(config: RunConfig): Secret[] {
  const logins = config.hosts.flatMap((host) =>
    host.connection === "ssh" && host.login.kind === "private-key" ? [host.login.key, host.login.passphrase] : [],
  );
  return [...logins, config.serve?.apiKey ?? null].filter((secret) => secret !== null);
}
