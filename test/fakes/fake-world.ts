import type { World } from "../../src/pipeline/world.ts";
import type { Shell } from "../../src/ports/shell.ts";
import { FakeClock } from "./fake-clock.ts";
import { fakeConsole } from "./fake-console.ts";

/** A world of hosts by their names and files by their paths; a host that is not there cannot be reached. */
export function fakeWorld(
  hosts: Readonly<Record<string, () => Promise<Shell>>>,
  files: Readonly<Record<string, string>>,
): World {
  const world: Pick<World, "clock" | "console" | "color" | "files" | "openShell" | "signal" | "productRoot"> = {
    clock: new FakeClock(),
    console: fakeConsole(),
    color: false,
    files: {
      read: async (path) => files[path] ?? null,
      write: async () => {},
      append: async () => {},
      list: async () => [],
      remove: async () => {},
    },
    openShell: async ({ name }) => {
      const open = hosts[name];
      if (open === undefined) throw new Error(`no host ${name}`);
      return open();
    },
    signal: new AbortController().signal,
    productRoot: "/product",
  };
  // What commands about hosts never touch is not there.
  return world as World;
}
