import { describe, expect, it } from "vitest";
import type { ServeSpec } from "../../src/config/run-config.ts";
import { reachServer } from "../../src/pipeline/reach.ts";
import type { World } from "../../src/pipeline/world.ts";
import type { ModelStreamOptions, OpenConnection } from "../../src/ports/model-stream.ts";
import type { Shell } from "../../src/ports/shell.ts";
import { exampleDeployment } from "../fakes/example-record.ts";
import { fakeConsole } from "../fakes/fake-console.ts";
import { type FakeAnswer, fakeModelStream } from "../fakes/fake-model-stream.ts";
import { fakeWorld } from "../fakes/fake-world.ts";

const vllm = { engine: "vllm", bind: "0.0.0.0", port: 8000, apiKey: null } as unknown as ServeSpec;

function reach(serve: ServeSpec, options: { direct?: FakeAnswer; simulated?: boolean; canForward?: boolean } = {}) {
  const { direct = null, simulated = false, canForward = true } = options;
  const dialled: string[] = [];
  const asked: ModelStreamOptions[] = [];
  const connectTo: OpenConnection = async (address, port) => {
    dialled.push(`${address}:${port}`);
    throw new Error("only dialled");
  };
  const console = fakeConsole();
  const world: World = {
    ...fakeWorld({}, {}),
    ...{ console, simulated, models: fakeModelStream(() => direct) },
    openModels: (how) => {
      asked.push(how);
      return fakeModelStream(() => ({ body: "through ssh" }));
    },
  };
  const shell = { host: "arc-01", ...(canForward && { connectTo }) } as unknown as Shell;
  return { server: reachServer(serve, shell, world), asked, dialled, console };
}

const health = { method: "GET", url: "http://10.0.0.5:8000/health", headers: {} } as const;

describe("reachServer()", () => {
  it("goes through SSH by itself when the port cannot be reached, and tells what that costs", async () => {
    const { server, console } = reach(vllm);
    expect((await server.models.ask(health, { timeoutMs: 1000 })).body).toBe("through ssh");
    const deployment = await server.explain(exampleDeployment());
    expect(deployment.tunnel).toMatchObject({ roundTripMs: expect.any(Number), directMs: null });
    expect(console.lines.join()).toMatch(
      /Measured through the SSH connection: .*http:\/\/10\.0\.0\.5:8000 cannot be reached/,
    );
  });

  it("says nothing and records nothing when the direct way works", async () => {
    const { server, console } = reach(vllm, { direct: { body: "direct" } });
    expect((await server.models.ask(health, { timeoutMs: 1000 })).body).toBe("direct");
    expect(await server.explain(exampleDeployment())).toEqual(exampleDeployment());
    expect(console.lines).toEqual([]);
  });

  it("asks a server of ours where it listens on its host, and another one where its URL says", async () => {
    const ours = reach({ ...vllm, through: "ssh" } as ServeSpec);
    await ours.asked[0]?.connect?.("10.0.0.5", 8000).catch(() => {});
    expect(ours.dialled).toEqual(["127.0.0.1:8000"]);
    const url = { engine: "url", baseUrl: "https://gw:443", servedModelName: "m", readyTimeoutMs: 1, apiKey: null };
    const theirs = reach({ ...url, through: "ssh", caFile: "ca.pem" } as ServeSpec);
    await theirs.asked
      .at(-1)
      ?.connect?.("gw", 443)
      .catch(() => {});
    expect(theirs.dialled).toEqual(["gw:443"]);
    expect(theirs.asked.at(-1)).toMatchObject({ caFile: "ca.pem" });
  });

  it.each([
    ["is told to go directly", { ...vllm, through: "direct" } as ServeSpec, {}],
    ["has an embedded host", vllm, { simulated: true }],
    ["has a shell without connections to go through", vllm, { canForward: false }],
  ])("never opens a way through SSH when it %s", async (_, serve, options) => {
    const { server, asked } = reach(serve, options);
    await expect(server.models.ask(health, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: "ENDPOINT_UNREACHABLE",
    });
    expect(asked).toEqual([]);
  });
});
