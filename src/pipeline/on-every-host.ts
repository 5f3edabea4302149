import type { HostSpec } from "../config/run-config.ts";
import type { Console } from "../ports/console.ts";
import type { World } from "./world.ts";

/** More connections at once gain little: the client's own work is what takes the time then. */
const MOST_AT_ONCE = 16;

/**
 * Works on all hosts at once, at most `atOnce` of them, and gives the results in the order of the hosts. `work` tells of
 * a host that fails in its result. What it throws all the same is thrown when the others have come to their end: nobody
 * would stop what they have started otherwise.
 */
export async function onEveryHost<Result>(
  hosts: readonly HostSpec[],
  world: World,
  work: (host: HostSpec, world: World) => Promise<Result>,
  atOnce: number = MOST_AT_ONCE,
): Promise<readonly Result[]> {
  const ends = new Map<HostSpec, PromiseSettledResult<Result>>();
  const waiting = [...hosts];
  const worker = async () => {
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
      const own = hosts.length === 1 ? world : { ...world, console: prefixed(world.console, host.name) };
      const [end] = await Promise.allSettled([work(host, own)]);
      ends.set(host, end);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, hosts.length) }, worker));
  return hosts.map((host) => resultOf(ends.get(host)));
}

function resultOf<Result>(end: PromiseSettledResult<Result> | undefined): Result {
  if (end?.status === "fulfilled") return end.value;
  throw end?.reason;
}

/** Lines of several hosts come mixed, so each says whose it is; a part of the log cannot be one host's. */
function prefixed(console: Console, host: string): Console {
  const line = (text: string) => `${host}: ${text.replaceAll("\n", `\n${host}: `)}`;
  return {
    info: (text) => console.info(line(text)),
    warn: (text) => console.warn(line(text)),
    error: (text) => console.error(line(text)),
    group: (title) => console.info(line(title)),
    endGroup: () => {},
    progress: (text) => console.progress(line(text)),
  };
}
