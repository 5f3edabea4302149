import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../../src/adapters-http/http-model-stream.ts";
import { openShell } from "../../../src/adapters-shell/open-shell.ts";
import type { IpexLlmServe } from "../../../src/config/run-config.ts";
import { Secret } from "../../../src/core/secret.ts";
import { guardServer } from "../../../src/deploy/guard-server.ts";
import { type StartContext, startServer } from "../../../src/deploy/start-server.ts";
import { stopServer } from "../../../src/deploy/stop-server.ts";
import { ipexLlmServe } from "../../deploy/serve-specs.ts";
import { isAlive, type PrivateDocker, startPrivateDocker } from "./private-docker.ts";

// The ipex-llm engine on a real Docker engine, as root, on a machine that need not run systemd. Only the model server
// inside the image is stood in (api_server.py), under the module path and with the flags of the real one.

const PORT = 18_321;
const path = process.env["PATH"];
let engine: PrivateDocker;
let lines: string[];

beforeAll(async () => {
  engine = await startPrivateDocker();
  process.env["PATH"] = `${engine.bin}:${path}`;
});

afterAll(async () => {
  process.env["PATH"] = path;
  await engine.close();
});

beforeEach(() => {
  lines = [];
});

afterEach(async () => {
  const { shell } = await world();
  await stopServer({ shell, port: PORT, graceMs: 0 });
});

async function world(different: Partial<IpexLlmServe> = {}): Promise<StartContext> {
  const say = (line: string) => void lines.push(line);
  return {
    shell: await openShell({ connection: "local", name: "arc1", address: "127.0.0.1" }, systemClock),
    models: httpModelStream(),
    clock: systemClock,
    console: { info: say, warn: say, error: say, group: say, endGroup: () => {}, progress: say },
    serve: ipexLlmServe({
      image: engine.image,
      model: engine.model,
      port: PORT,
      bind: "127.0.0.1",
      shmSizeGib: 1,
      // A virtual machine may lack rights that a privileged container asks for.
      privileged: false,
      readyTimeoutMs: 30_000,
      flags: GUIDE,
      ...different,
    }),
    host: { name: "arc1", address: "127.0.0.1" },
    signal: new AbortController().signal,
  };
}

/** The flags of the A770 guide. */
const GUIDE = {
  "trust-remote-code": true,
  "gpu-memory-utilization": 0.9,
  "load-in-low-bit": "fp8",
  "max-model-len": 2048,
  "max-num-batched-tokens": 4000,
  "max-num-seqs": 12,
  "tensor-parallel-size": 2,
};

const containers = () => engine.docker("ps", "--all", "--format", "{{.Names}} {{.Status}}").trim();
const containerPid = () => engine.docker("inspect", "--format", "{{.State.Pid}}", `arc-vllm-${PORT}`).trim();
const ourFiles = () => existsSync("/var/lib/arc-vllm/servers");

describe("ipex-llm engine on a real Docker engine", () => {
  it("pulls by digest, starts the guide's command, gets ready, stops, and leaves nothing", async () => {
    const server = await startServer(await world());
    expect(lines).toContainEqual(expect.stringContaining(`Pulling image ${engine.image}`));
    expect(server.deployment).toMatchObject({
      engine: "ipex-llm",
      imageDigest: engine.image,
      engineVersion: "0.8.3+stand-in",
      tensorParallel: 2,
      maxModelLen: 2048,
    });
    const pid = containerPid();
    expect(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1)).toEqual(server.deployment.argv);

    await server.stop();
    expect(containers()).toBe("");
    expect(isAlive(pid)).toBe(false);
    expect(ourFiles()).toBe(false);
    await server.stop();
  });

  it("gives the server its environment and the image's own set-up, which sees none of the server's flags", async () => {
    const server = await startServer(await world({ cards: [0, 1], env: { CCL_WORKER_COUNT: "1", MINE: "a b $HOME" } }));
    const log = await server.logTail(200);
    for (const [name, value] of Object.entries(server.deployment.env)) {
      expect(log).toContain(`environment ${name}=${value}`);
    }
    expect(log).toContain("environment ZE_AFFINITY_MASK=0,1");
    expect(log).toContain("environment CCL_DG2_ALLREDUCE=1");
    expect(log).toContain("environment SETVARS_WORDS=0");
  });

  it("warns about a host without cards, and hands them over where there are some", async () => {
    await startServer(await world());
    expect(lines.some((line) => line.includes("no /dev/dri/renderD"))).toBe(!existsSync("/dev/dri/renderD128"));
    if (existsSync("/dev/dri")) return;

    // A device node that does nothing stands in for a card.
    mkdirSync("/dev/dri");
    try {
      execFileSync("mknod", ["/dev/dri/renderD128", "c", "1", "3"]);
      lines = [];
      await startServer(await world());
      expect(lines.join("\n")).not.toContain("no /dev/dri/renderD");
      const devices = engine.docker("inspect", "--format", "{{json .HostConfig.Devices}}", `arc-vllm-${PORT}`);
      expect(devices).toContain("/dev/dri");
    } finally {
      rmSync("/dev/dri", { recursive: true });
    }
  });

  it("cannot write to the model folder", async () => {
    await startServer(await world());
    const mounts = engine.docker("inspect", "--format", "{{json .Mounts}}", `arc-vllm-${PORT}`);
    expect(JSON.parse(mounts)).toMatchObject([{ Destination: "/llm/models/Llama-3.1-8B", RW: false }]);
  });

  it("passes the API key so that neither docker inspect nor a command line shows it", async () => {
    const server = await startServer(await world({ apiKey: new Secret("hunter2-key") }));
    const shown =
      engine.docker("inspect", `arc-vllm-${PORT}`) + readFileSync(`/proc/${containerPid()}/cmdline`, "utf8");
    expect(shown).not.toContain("hunter2-key");
    const answer = await httpModelStream().ask(
      { method: "GET", url: `${server.deployment.baseUrl}/v1/models`, headers: {} },
      { timeoutMs: 5000 },
    );
    expect(answer.status).toBe(401);
  });

  it("says once that docker keeps the container when the host does not run systemd", async () => {
    await startServer(await world());
    const said = lines.filter((line) => line.includes("does not run systemd"));
    expect(said).toHaveLength(existsSync("/run/systemd/system") ? 0 : 1);
  });

  it.each([
    { name: "a server of a run down", survivesReboot: false, policy: "no" },
    { name: "a server that survives reboots to docker", survivesReboot: true, policy: "unless-stopped" },
  ])("leaves $name on a host without systemd", async ({ survivesReboot, policy }) => {
    await startServer({ ...(await world()), survivesReboot });
    const found = engine.docker("inspect", "--format", "{{.HostConfig.RestartPolicy.Name}}", `arc-vllm-${PORT}`).trim();
    expect(found).toBe(existsSync("/run/systemd/system") ? "no" : policy);
  });

  it("ends a container that an earlier run left", async () => {
    await startServer(await world());
    const first = containerPid();
    await startServer(await world());
    expect(lines.join("\n")).toContain(`an earlier run left on host "arc1": container arc-vllm-${PORT}`);
    expect(isAlive(first)).toBe(false);
  });

  it("ends the container of a run that vanished, and never the one of the next run", async () => {
    const context = await world();
    const first = guardServer(context.shell, PORT, "ipex-llm");
    await startServer({ ...context, owner: first.owner });
    await first.release();
    await expect.poll(containers, { timeout: 20_000, interval: 200 }).toBe("");

    const second = guardServer(context.shell, PORT, "ipex-llm");
    const server = await startServer({ ...context, owner: second.owner });
    await server.stop();
    await second.release();
    await startServer({ ...context, owner: "the run after it" });
    // The guard looks again every 2 s.
    await new Promise((done) => setTimeout(done, 3_000));
    expect(containers()).not.toBe("");
  });

  it("stops while a client holds a stream open", async () => {
    const server = await startServer(await world());
    const open = request(`${server.deployment.baseUrl}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    open.on("error", () => {});
    open.end(JSON.stringify({ prompt: "Hello", stream: true, max_tokens: 10_000 }));
    await new Promise((answered) =>
      open.on("response", (response) => answered(response.on("error", () => {}).resume())),
    );

    await server.stop();
    expect(containers()).toBe("");
  });
});

describe("ipex-llm engine when the server does not come up", () => {
  it.each([
    {
      name: "a flag that this engine does not take",
      different: () => ({ flags: { ...GUIDE, dtype: "float99" } }),
      code: "SERVER_EXITED",
      says: /code 2 .*[\s\S]*argument --dtype: invalid choice: 'float99'/,
    },
    {
      name: "too little memory",
      different: () => ({ memoryLimitGib: 0.0625, env: { STAND_IN: "eat-memory" } }),
      code: "SERVER_OUT_OF_MEMORY",
      says: /code 137 .*OOMKilled[\s\S]*loading weights, \d+ MiB/,
    },
    {
      name: "an image without the server",
      different: () => ({ image: engine.imageWithoutPython }),
      code: "ENGINE_MISSING",
      says: /code 127 .*python: not found/,
    },
    {
      name: "an image without a shell",
      different: () => ({ image: engine.emptyImage }),
      code: "SERVER_EXITED",
      says: /\/bin\/bash/,
    },
    {
      name: "a server that loads for too long",
      different: () => ({ env: { STAND_IN: "silent" }, readyTimeoutMs: 2000 }),
      code: "SERVER_NOT_READY",
      says: /not ready after .*[\s\S]*still loading/,
    },
  ])("throws $code for $name and leaves no container", async ({ different, code, says }) => {
    await expect(startServer(await world(different()))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(says),
    });
    expect(containers()).toBe("");
  });

  it("keeps the whole log of a failed start on the host until the next one", async () => {
    const failed = await world({ flags: { ...GUIDE, dtype: "float99" } });
    const failure = await startServer(failed).catch((error: Error) => error.message);
    const kept = `/var/lib/arc-vllm/servers/${PORT}.log`;
    expect(failure).toContain(kept);
    expect(readFileSync(kept, "utf8")).toContain("usage: api_server.py");

    const server = await startServer(await world());
    await server.stop();
    expect(ourFiles()).toBe(false);
  });

  it("throws PORT_IN_USE and names the process that has the port", async () => {
    const other = createServer().listen(PORT, "127.0.0.1");
    try {
      await expect(startServer(await world())).rejects.toMatchObject({
        code: "PORT_IN_USE",
        message: expect.stringContaining(`(pid ${process.pid})`),
      });
    } finally {
      other.close();
    }
  });

  it.each([
    {
      name: "a digest that the registry lacks",
      image: () => engine.image.replace(/sha256:.*/, `sha256:${"0".repeat(64)}`),
      says: /manifest.*unknown|not found/i,
    },
    { name: "a registry that is not there", image: () => "127.0.0.1:1/ipex-llm:1", says: /connection refused/ },
  ])("throws IMAGE_MISSING with docker's words for $name", async ({ image, says }) => {
    await expect(startServer(await world({ image: image() }))).rejects.toMatchObject({
      code: "IMAGE_MISSING",
      message: expect.stringMatching(says),
    });
  });

  it("throws IMAGE_MISSING without pulling when it must not pull", async () => {
    const image = `${engine.registry}/other:1`;
    await expect(startServer(await world({ image, pull: "never" }))).rejects.toMatchObject({ code: "IMAGE_MISSING" });
    expect(lines.join("\n")).not.toContain("Pulling");
  });

  it("throws MODEL_NOT_FOUND and names the models beside it", async () => {
    const model = join(engine.model, "../Llama-3.1-70B");
    await expect(startServer(await world({ model }))).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining("beside it are Llama-3.1-8B"),
    });
  });

  it("throws ENGINE_MISSING with docker's words when its engine does not run", async () => {
    process.env["PATH"] = path;
    try {
      await expect(startServer(await world())).rejects.toMatchObject({
        code: "ENGINE_MISSING",
        message: expect.stringMatching(/docker does not answer: .*daemon/i),
      });
    } finally {
      process.env["PATH"] = `${engine.bin}:${path}`;
    }
  });

  it("leaves no container when the run is cancelled while the server loads", async () => {
    const cancel = new AbortController();
    const starting = startServer({ ...(await world({ env: { STAND_IN: "silent" } })), signal: cancel.signal });
    while (!containers().includes("Up")) await systemClock.sleep(100);
    cancel.abort();
    const cancelledMs = systemClock.nowMs();
    await expect(starting).rejects.toMatchObject({ code: "CANCELLED" });
    expect(containers()).toBe("");
    // The runner kills the Action 7.5 s after it asked it to end.
    expect(systemClock.nowMs() - cancelledMs).toBeLessThan(7000);
  });
});
