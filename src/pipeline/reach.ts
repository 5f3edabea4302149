import type { ServeSpec } from "../config/run-config.ts";
import type { Deployment } from "../deploy/deployment.ts";
import { directOrTunnel, type Reach, tunnelCost } from "../deploy/reach-server.ts";
import type { ModelStream, OpenConnection } from "../ports/model-stream.ts";
import type { Shell } from "../ports/shell.ts";
import { modelsFor } from "./models-for.ts";
import type { World } from "./world.ts";

export interface ServerReach extends Reach {
  /** The deployment with the cost of the way through SSH, if that was the way; says so. */
  explain(deployment: Deployment): Promise<Deployment>;
}

/** How requests get to the model server of a host: directly, or through its SSH connection. */
export function reachServer(serve: ServeSpec, shell: Shell, world: World): ServerReach {
  const direct = modelsFor(serve, world);
  const { through = "auto" } = serve;
  // The embedded host is this process.
  const connectTo = through === "direct" || world.simulated ? undefined : shell.connectTo;
  if (connectTo === undefined) return { models: direct, isTunnelled: () => false, explain: async (same) => same };

  const caFile = serve.engine === "url" ? serve.caFile : undefined;
  const tunnel = world.openModels({ connect: addressOn(serve, connectTo), ...(caFile !== undefined && { caFile }) });
  const reach = through === "ssh" ? { models: tunnel, isTunnelled: () => true } : directOrTunnel(direct, tunnel);
  return { ...reach, explain: (deployment) => explain(deployment, reach, { tunnel, direct }, world) };
}

/** A server of ours is asked for where it listens on its host, whatever the host is called here. */
function addressOn(serve: ServeSpec, connectTo: OpenConnection): OpenConnection {
  if (serve.engine === "url") return connectTo;
  const address = serve.bind === "0.0.0.0" || serve.bind === "::" ? "127.0.0.1" : serve.bind;
  return (_, port) => connectTo(address, port);
}

async function explain(
  deployment: Deployment,
  reach: Reach,
  ways: { readonly tunnel: ModelStream; readonly direct: ModelStream },
  { clock, console }: World,
): Promise<Deployment> {
  if (!reach.isTunnelled()) return deployment;
  const tunnel = await tunnelCost(ways, deployment.baseUrl, clock);
  const tunnelled = { ...deployment, tunnel };
  for (const warning of tunnelWarnings(tunnelled)) console.warn(warning);
  return tunnelled;
}

/** What a reader of the numbers must know about the way they came. */
export function tunnelWarnings({ tunnel, baseUrl }: Deployment): string[] {
  if (tunnel === undefined) return [];
  const { roundTripMs, directMs } = tunnel;
  const cost = roundTripMs === null ? "not known" : `${roundTripMs.toFixed(2)} ms`;
  const direct = directMs === null ? `${baseUrl} cannot be reached from here` : `${directMs.toFixed(2)} ms directly`;
  return [
    `Measured through the SSH connection: a round trip takes ${cost} (${direct}), and each first token holds one`,
  ];
}
