import type { RunConfig } from "../config/run-config.ts";
import { stopServer } from "../deploy/stop-server.ts";
import type { World } from "../pipeline/world.ts";
import type { CommandOutcome } from "./command-outcome.ts";
import { requireServe } from "./require-serve.ts";

/** Ends the model server of the configuration on every host. A host where none runs is fine. */
export async function stop(config: RunConfig, world: World): Promise<CommandOutcome> {
  const spec = requireServe(config, "stop");
  if (spec.engine === "url") return { exitCode: 0, text: "Nothing to stop: engine url starts nothing", json: [] };
  const stopped = [];
  for (const host of config.hosts) {
    await using shell = await world.openShell(host);
    const { ended } = await stopServer({ shell, port: spec.port });
    stopped.push({ host: host.name, port: spec.port, ended });
  }
  const lines = stopped.map(({ host, port, ended }) =>
    ended.length > 0 ? `${host}: ended ${ended.join(", ")}` : `${host}: no server of ours on port ${port}`,
  );
  return { exitCode: 0, text: lines.join("\n"), json: stopped };
}
