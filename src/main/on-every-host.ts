import type { HostSpec } from "../inputs/run-config.ts";
import type { Console } from "../ports/console.ts";
import type { World } from "./world.ts";

/** More connections at once gain little: the client's own work is what takes the time then. */
const MOST_AT_ONCE = 16;

/**
 * Works on all hosts at once, at most 16 of them, and gives the results in the order of the hosts. `work` tells of a
 * host that fails in its result: a rejection would leave the others alone.
 */
export async function onEveryHost<Result>(
  hosts: readonly HostSpec[],
  world: World,
  work: (host: HostSpec, world: World) => Promise<Result>,
): Promise<readonly Result[]> {
  const results = new Map<HostSpec, Result>();
  const waiting = [...hosts];
  const worker = async () => {
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
      const own = hosts.length === 1 ? world : { ...world, console: prefixed(world.console, host.name) };
      results.set(host, await work(host, own));
    }
  };
  await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, hosts.length) }, worker));
  return hosts.map((host) => results.get(host) as Result);
}

/** Lines of several hosts come mixed, so each says whose it is; a part of the log cannot be one host's. */
function prefixed(console: Console, host: string): Console {
  const line = (text: string) => `${host}: ${text}`;
  return {
    info: (text) => console.info(line(text)),
    warn: (text) => console.warn(line(text)),
    error: (text) => console.error(line(text)),
    group: () => {},
    endGroup: () => {},
    progress: (text) => console.progress(line(text)),
  };
}
