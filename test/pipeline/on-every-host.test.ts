import { describe, expect, it } from "vitest";
import type { HostSpec } from "../../src/config/run-config.ts";
import { onEveryHost } from "../../src/pipeline/on-every-host.ts";
import type { World } from "../../src/pipeline/world.ts";
import { fakeConsole } from "../fakes/fake-console.ts";

const hostsNamed = (...names: string[]): HostSpec[] =>
  names.map((name) => ({ connection: "local", name, address: "127.0.0.1" }));

/** Only the console matters here. */
const worldWith = (console = fakeConsole()) => ({ console }) as unknown as World;

describe("onEveryHost()", () => {
  it("works on all hosts at once and keeps their order", async () => {
    const begun: string[] = [];
    let openGate = () => {};
    const gate = new Promise<void>((resolve) => {
      openGate = resolve;
    });
    const results = await onEveryHost(hostsNamed("a", "b", "c"), worldWith(), async ({ name }) => {
      begun.push(name);
      // The first to begin waits for the last: one after the other would never end.
      if (begun.length === 3) openGate();
      await gate;
      return `${name} done`;
    });
    expect(results).toEqual(["a done", "b done", "c done"]);
  });

  it("works on 16 hosts at once and no more", async () => {
    let running = 0;
    let most = 0;
    const names = Array.from({ length: 40 }, (_, index) => `host-${index}`);
    await onEveryHost(hostsNamed(...names), worldWith(), async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    });
    expect(most).toBe(16);
  });

  it("waits for the others before it throws what a work threw", async () => {
    const ended: string[] = [];
    const working = onEveryHost(
      hostsNamed("a", "b", "c"),
      worldWith(),
      async ({ name }) => {
        if (name === "a") throw new Error("disk full");
        await new Promise((resolve) => setImmediate(resolve));
        ended.push(name);
      },
      2,
    );
    await expect(working).rejects.toThrow("disk full");
    expect(ended).toEqual(["b", "c"]);
  });

  it("says whose line it is, and opens no part of the log that would hold other hosts' lines", async () => {
    const console = fakeConsole();
    await onEveryHost(hostsNamed("a", "b"), worldWith(console), async (_, own) => {
      own.console.group("Provision");
      own.console.warn("careful");
      own.console.progress("still there");
      own.console.endGroup();
    });
    expect(console.lines).toEqual(["info a: Provision", "warn a: careful", "info b: Provision", "warn b: careful"]);
    expect(console.progressLines).toEqual(["a: still there", "b: still there"]);
  });

  it("leaves the log of a single host as it is", async () => {
    const console = fakeConsole();
    await onEveryHost(hostsNamed("a"), worldWith(console), async (_, own) => {
      own.console.group("Provision a");
      own.console.info("ok");
    });
    expect(console.lines).toEqual(["group Provision a", "info ok"]);
  });
});
