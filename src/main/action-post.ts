import { readConfig } from "../commands/read-config.ts";
import type { Secret } from "../core/secret.ts";
import { stopServer } from "../deploy/stop-server.ts";
import { parseActionInputs } from "../inputs/action-inputs.ts";
import type { World } from "../pipeline/world.ts";

/** One server that main started, as it is kept in the Action's state. */
export interface RememberedServer {
  readonly host: string;
  readonly port: number;
}

/**
 * Ends what main may have left behind when it was killed. Touches only what the state says main started; a problem here
 * is a warning, since it must not turn a green run red.
 */
export async function actionPost(
  servers: readonly RememberedServer[],
  world: World,
  hide: (secret: Secret) => void,
): Promise<void> {
  if (servers.length === 0) return;
  const config = await readConfig(parseActionInputs(process.env), world.files, {
    lookUp: (name) => process.env[name],
    hide,
  });
  for (const { host: name, port } of servers) {
    const host = config.hosts.find((candidate) => candidate.name === name);
    if (host === undefined) continue;
    try {
      await using shell = await world.openShell(host);
      const { ended } = await stopServer({ shell, port });
      if (ended.length > 0) world.console.warn(`Ended what was left on host "${name}": ${ended.join(", ")}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      world.console.warn(`Cannot make sure that nothing runs on host "${name}" port ${port}: ${message}`);
    }
  }
}
