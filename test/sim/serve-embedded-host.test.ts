import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../src/adapters-http/http-model-stream.ts";
import { openShell } from "../../src/adapters-shell/open-shell.ts";
import type { IpexLlmServe } from "../../src/config/run-config.ts";
import type { RunningServer } from "../../src/deploy/deployment.ts";
import { startServer } from "../../src/deploy/start-server.ts";
import { startEmbeddedHost } from "../../src/sim/embedded-host.ts";
import type { Fault } from "../../src/sim-machine/virtual-machine.ts";
import { freePort, hostSpec, serveSpec, silent } from "./embedded-world.ts";

interface Case {
  readonly flags?: IpexLlmServe["flags"];
  readonly over?: Partial<IpexLlmServe>;
  readonly faults?: readonly Fault[];
}

/** Starts a server on a fresh host in its bad state, through the real engine and SSH adapter. */
async function serveOnFreshHost({ flags = {}, over = {}, faults = [] }: Case): Promise<RunningServer> {
  const modelPort = await freePort();
  const embedded = await startEmbeddedHost({ clock: systemClock, modelPort, speed: 100, faults });
  onTestFinished(() => embedded.stop());
  const host = hostSpec(embedded);
  const shell = await openShell(host, systemClock);
  onTestFinished(() => shell[Symbol.asyncDispose]());
  const models = httpModelStream();
  onTestFinished(() => models[Symbol.asyncDispose]());
  const serve = serveSpec(embedded, modelPort, flags, over);
  return startServer({
    shell,
    models,
    clock: systemClock,
    console: silent,
    serve,
    host,
    signal: new AbortController().signal,
  });
}

describe("startServer() on the embedded host", () => {
  it.each([
    { name: "a model that is not there", over: { model: "/srv/models/nope" }, code: "MODEL_NOT_FOUND" },
    { name: "weights larger than a card", flags: { "load-in-low-bit": "fp16" }, code: "SERVER_OUT_OF_MEMORY" },
    { name: "a host without enough memory", over: { memoryLimitGib: 8 }, code: "SERVER_OUT_OF_MEMORY" },
    { name: "more cards than there are", flags: { "tensor-parallel-size": 4 }, code: "SERVER_EXITED" },
    { name: "an image nobody has", faults: ["image-not-in-registry"] as const, code: "IMAGE_MISSING" },
    { name: "a user who may not use sudo", faults: ["no-sudo"] as const, code: "HOST_NO_SUDO" },
  ])(
    "says why it cannot start with $name",
    async ({ code, ...kase }) => {
      await expect(serveOnFreshHost(kase)).rejects.toMatchObject({ code });
    },
    30_000,
  );
});
