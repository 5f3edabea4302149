import type { HostSpec, RunConfig } from "../config/run-config.ts";
import { startServer } from "../deploy/start-server.ts";
import { reachServer } from "../pipeline/reach.ts";
import type { World } from "../pipeline/world.ts";
import type { CommandOutcome } from "./command-outcome.ts";
import { requireServe } from "./require-serve.ts";

/** Starts the model server on every host of the configuration and leaves it running, a container also over a reboot. */
export async function serve(config: RunConfig, world: World): Promise<CommandOutcome> {
  const spec = requireServe(config, "serve");
  const deployments = [];
  for (const host of config.hosts) deployments.push(await serveOn(host));
  const text = deployments.map(({ host, servedModelName, baseUrl }) => `${host}: ${servedModelName} at ${baseUrl}/v1`);
  return { exitCode: 0, text: [...text, 'End it with "arc-vllm stop"'].join("\n"), json: { deployments } };

  async function serveOn(host: HostSpec) {
    const { clock, console, signal } = world;
    console.group(`Serve ${spec.servedModelName} on ${host.name}`);
    await using shell = await world.openShell(host);
    const { models } = reachServer(spec, shell, world);
    const server = await startServer({
      ...{ shell, models, clock, console, serve: spec, host, signal },
      survivesReboot: true,
    });
    return server.deployment;
  }
}
