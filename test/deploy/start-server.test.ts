import { describe, expect, it } from "vitest";
import type { ServeSpec } from "../../src/config/run-config.ts";
import { Secret } from "../../src/core/secret.ts";
import {
  CHECK_HOST,
  OBSERVE_CONTAINER,
  PULL_IMAGE,
  START_CONTAINER,
  STOP_CONTAINER,
} from "../../src/deploy/ipex-llm-scripts.ts";
import { startServer } from "../../src/deploy/start-server.ts";
import { STOP_PROCESS } from "../../src/deploy/vllm-scripts.ts";
import { FakeClock } from "../fakes/fake-clock.ts";
import { type FakeAnswer, fakeModelStream, vllmAnswers } from "../fakes/fake-model-stream.ts";
import { type FakeHandler, fakeShell } from "../fakes/fake-shell.ts";
import { ipexLlmServe, urlServe } from "./serve-specs.ts";

/** What the scripts of a healthy ipex-llm host print; a test gives the ones that differ. */
const HEALTHY: Readonly<Record<string, string>> = {
  [CHECK_HOST]: [
    "docker=28.2.2",
    'image=["intelanalytics/ipex-llm-serving-xpu@sha256:b19"]',
    "render-node=/dev/dri/renderD128",
    "model=ok",
  ].join("\n"),
  [START_CONTAINER]: "supervisor=systemd",
  [OBSERVE_CONTAINER]: "state=running 0 false\nerror=\nunit=active\n--\nINFO loading weights",
};

interface World {
  readonly serve?: ServeSpec;
  readonly host?: Readonly<Record<string, string>>;
  readonly handler?: FakeHandler;
  readonly endpoint?: Readonly<Record<string, FakeAnswer>>;
  readonly signal?: AbortSignal;
}

function world({ serve = ipexLlmServe(), host = {}, handler, endpoint = {}, signal }: World = {}) {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const prints = { ...HEALTHY, ...host };
  const shell = fakeShell(handler ?? (({ text }) => ({ stdout: prints[text] ?? "" })), "arc1");
  const context = {
    shell,
    models: fakeModelStream(vllmAnswers("Llama-3.1", endpoint)),
    clock: new FakeClock(),
    console: { info: say, warn: say, error: say, group: say, endGroup: () => {}, progress: say },
    serve,
    host: { name: "arc1", address: "10.0.0.5" },
    signal: signal ?? new AbortController().signal,
  };
  const ran = () => shell.ran.map(({ text }) => NAMES.get(text) ?? "?");
  return { context, shell, lines, ran };
}

const NAMES = new Map([
  [CHECK_HOST, "check"],
  [PULL_IMAGE, "pull"],
  [START_CONTAINER, "start"],
  [OBSERVE_CONTAINER, "observe"],
  [STOP_CONTAINER, "stop container"],
  [STOP_PROCESS, "stop process"],
]);

const EXITED = (state: string, log: string) => ({
  [OBSERVE_CONTAINER]: `state=${state}\nerror=\nunit=failed\n--\n${log}`,
});

describe("startServer()", () => {
  it("checks the host, starts the container and says what is served", async () => {
    const { context, ran } = world();
    const server = await startServer(context);
    expect(ran()).toEqual(["stop process", "check", "start", "observe"]);
    expect(server.deployment).toMatchObject({
      host: "arc1",
      engine: "ipex-llm",
      baseUrl: "http://10.0.0.5:8000",
      engineVersion: "0.8.3",
      imageDigest: "intelanalytics/ipex-llm-serving-xpu@sha256:b19",
      tensorParallel: 1,
      maxModelLen: 2048,
    });
  });

  it("takes the version from the image when the server does not say it", async () => {
    const { context } = world({ endpoint: { "/version": { status: 404 } } });
    expect((await startServer(context)).deployment.engineVersion).toBe("0.8.3-b19");
  });

  it("writes the address of an IPv6 host in brackets", async () => {
    const { context } = world();
    const server = await startServer({ ...context, host: { name: "arc1", address: "fd00::5" } });
    expect(server.deployment.baseUrl).toBe("http://[fd00::5]:8000");
  });

  it("pulls an image that is not there and shows docker's progress", async () => {
    const pull = 'b19: Pulling from ipex-llm\nimage=["intelanalytics/ipex-llm-serving-xpu@sha256:new"]';
    const { context, lines, ran } = world({
      host: { [CHECK_HOST]: "docker=28.2.2\nmodel=ok", [PULL_IMAGE]: pull },
    });
    const server = await startServer(context);
    expect(ran()).toContain("pull");
    expect(lines.join("\n")).toContain("b19: Pulling from ipex-llm");
    expect(server.deployment.imageDigest).toBe("intelanalytics/ipex-llm-serving-xpu@sha256:new");
  });

  it("ends a server that an earlier run left on the port and says so", async () => {
    const { context, lines, ran } = world({
      host: { [STOP_PROCESS]: "container=yes", [STOP_CONTAINER]: "ended=container arc-vllm-8000" },
    });
    await startServer(context);
    expect(ran().slice(0, 2)).toEqual(["stop process", "stop container"]);
    expect(lines.join("\n")).toMatch(/an earlier run left on host "arc1": container arc-vllm-8000/);
  });

  it("keeps the API key out of every word and gives it to the script as a secret", async () => {
    const { context, shell } = world({ serve: ipexLlmServe({ apiKey: new Secret("hunter2") }) });
    const server = await startServer(context);
    const start = shell.ran.find(({ text }) => text === START_CONTAINER);
    expect(start?.env["API_KEY"]).toBe("hunter2");
    expect(start?.env["DOCKER_WORDS"]).not.toContain("hunter2");
    expect(JSON.stringify(server.deployment)).not.toContain("hunter2");
  });

  it.each([
    {
      name: "docker is missing",
      code: "ENGINE_MISSING",
      host: { [CHECK_HOST]: "docker-missing=yes\nmodel=ok" },
      says: /no docker command/,
    },
    {
      name: "docker does not answer",
      code: "ENGINE_MISSING",
      host: { [CHECK_HOST]: "docker-error=Cannot connect to the Docker daemon\nmodel=ok" },
      says: /Cannot connect to the Docker daemon/,
    },
    {
      name: "the model folder is missing",
      code: "MODEL_NOT_FOUND",
      host: { [CHECK_HOST]: "docker=28.2.2\nmodel=missing\nmodel-near=Qwen2.5-7B\nmodel-near=gemma" },
      says: /no such folder, beside it are Qwen2.5-7B, gemma/,
    },
    {
      name: "the model folder is no model",
      code: "MODEL_NOT_FOUND",
      host: { [CHECK_HOST]: "docker=28.2.2\nmodel=no-config" },
      says: /no config\.json/,
    },
    {
      name: "the port is taken",
      code: "PORT_IN_USE",
      host: {
        [CHECK_HOST]: `docker=28.2.2\nmodel=ok\nlistener=LISTEN 0 128 0.0.0.0:8000 0.0.0.0:* users:(("nginx",pid=123,fd=7))`,
      },
      says: /process "nginx" \(pid 123\) listens there/,
    },
    {
      name: "the port is taken by a process that we may not see",
      code: "PORT_IN_USE",
      host: { [CHECK_HOST]: "docker=28.2.2\nmodel=ok\nlistener=LISTEN 0 128 [::]:8000 [::]:*" },
      says: /another process listens there/,
    },
  ])("throws $code when $name, before anything is started", async ({ code, host, says }) => {
    const { context, ran } = world({ host });
    await expect(startServer(context)).rejects.toMatchObject({ code, message: expect.stringMatching(says) });
    expect(ran()).not.toContain("start");
  });

  it("lets another address of the host keep the same port", async () => {
    const listener = "listener=LISTEN 0 128 127.0.0.2:8000 0.0.0.0:*";
    const { context } = world({
      serve: ipexLlmServe({ bind: "127.0.0.1" }),
      host: { [CHECK_HOST]: `${HEALTHY[CHECK_HOST]}\n${listener}` },
    });
    await expect(startServer(context)).resolves.toBeDefined();
  });

  it("throws IMAGE_MISSING with docker's words when the pull fails", async () => {
    const { context } = world({
      handler: ({ text }) => {
        if (text === CHECK_HOST) return { stdout: "docker=28.2.2\nmodel=ok" };
        return text === PULL_IMAGE ? { exitCode: 1, stderr: "manifest unknown" } : {};
      },
    });
    await expect(startServer(context)).rejects.toMatchObject({
      code: "IMAGE_MISSING",
      message: expect.stringContaining("manifest unknown"),
    });
  });

  it("does not pull when it must not", async () => {
    const { context, ran } = world({
      serve: ipexLlmServe({ pull: "never" }),
      host: { [CHECK_HOST]: "docker=28.2.2\nmodel=ok" },
    });
    await expect(startServer(context)).rejects.toMatchObject({ code: "IMAGE_MISSING" });
    expect(ran()).not.toContain("pull");
  });
});

describe("startServer() while the server loads", () => {
  it.each([
    {
      name: "its end alone",
      code: "SERVER_EXITED",
      seen: EXITED("exited 1 false", "Traceback\nKeyError: 'x'"),
      says: /code 1.*\n.*\n {2}Traceback\n {2}KeyError/,
    },
    { name: "OOMKilled", code: "SERVER_OUT_OF_MEMORY", seen: EXITED("exited 137 true", "loading"), says: /OOMKilled/ },
    { name: "code 137", code: "SERVER_OUT_OF_MEMORY", seen: EXITED("exited 137 false", "loading"), says: /SIGKILL/ },
    {
      name: "what the log says of memory",
      code: "SERVER_OUT_OF_MEMORY",
      seen: EXITED("exited 1 false", "RuntimeError: UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY"),
      says: /UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY/,
    },
    {
      name: "what the log says of the port",
      code: "PORT_IN_USE",
      seen: EXITED("exited 1 false", "OSError: [Errno 98] Address already in use"),
      says: /Address already in use/,
    },
    {
      name: "what docker says of a container that never started",
      code: "SERVER_EXITED",
      seen: {
        [OBSERVE_CONTAINER]: 'state=created 128 false\nerror=error gathering device information: "/dev/dri"\n--',
      },
      says: /model server "Llama-3\.1" on port 8000 of host "arc1"/,
    },
  ])("throws $code by $name and leaves nothing behind", async ({ code, seen, says }) => {
    const { context, ran } = world({
      host: { ...seen, [STOP_PROCESS]: "container=yes" },
      endpoint: { "/health": null },
    });
    await expect(startServer(context)).rejects.toMatchObject({ code, message: expect.stringMatching(says) });
    expect(ran().at(-1)).toBe("stop container");
  });

  it("shows the last 20 log lines only, and where the whole log is kept", async () => {
    const log = Array.from({ length: 30 }, (_, index) => `line ${index}`).join("\n");
    const { context } = world({
      host: {
        ...EXITED("exited 1 false", log),
        [STOP_PROCESS]: "container=yes",
        [STOP_CONTAINER]: "log=/var/lib/arc-vllm/servers/8000.log",
      },
    });
    const failure = await startServer(context).catch((error: Error) => error.message);
    expect(failure).toContain("  line 29");
    expect(failure).toContain("  line 10");
    expect(failure).not.toContain("  line 9\n");
    expect(failure).toContain("/var/lib/arc-vllm/servers/8000.log");
  });

  it("throws SERVER_NOT_READY after the time-out, with progress on the way", async () => {
    const { context, lines } = world({ endpoint: { "/health": null } });
    await expect(startServer(context)).rejects.toMatchObject({
      code: "SERVER_NOT_READY",
      message: expect.stringMatching(/not ready after 6\d\.\d s: .*ECONNREFUSED.*\n.*\n {2}INFO loading weights/),
    });
    expect(lines.filter((line) => /Waiting .* s of 60 s: INFO loading weights/.test(line)).length).toBeGreaterThan(5);
  });

  it("suspects the way to the server when its log says that it is up", async () => {
    const up = { [OBSERVE_CONTAINER]: "state=running 0 false\nerror=\n--\nINFO:     Application startup complete." };
    const { context } = world({ host: up, endpoint: { "/health": null } });
    await expect(startServer(context)).rejects.toMatchObject({ hint: expect.stringContaining("serve.bind") });
  });

  it("does not take another server on the port for ours when ours has ended", async () => {
    const { context } = world({ host: EXITED("exited 1 false", "Address already in use") });
    await expect(startServer(context)).rejects.toMatchObject({ code: "PORT_IN_USE" });
  });

  it("gives docker the moment between creating and starting the container", async () => {
    let looks = 0;
    const { context } = world({
      handler: ({ text }) => {
        if (text !== OBSERVE_CONTAINER) return { stdout: HEALTHY[text] ?? "" };
        looks += 1;
        return { stdout: `state=${looks < 3 ? "created" : "running"} 0 false\nerror=\nunit=active\n--` };
      },
    });
    const models = fakeModelStream((request) => (looks < 4 ? null : vllmAnswers("Llama-3.1")(request)));
    await expect(startServer({ ...context, models })).resolves.toBeDefined();
  });

  it("makes a new connection when the old one breaks while it waits", async () => {
    let broken = false;
    const { context, shell } = world({
      handler: ({ text }) => {
        if (text !== OBSERVE_CONTAINER || broken) return { stdout: HEALTHY[text] ?? "" };
        broken = true;
        return { ended: "connection-lost" };
      },
    });
    await expect(startServer(context)).resolves.toBeDefined();
    expect(shell.reconnects).toBe(1);
  });

  it("stops the server within seconds when the run is cancelled", async () => {
    const cancel = new AbortController();
    const { context, shell, ran } = world({
      handler: ({ text }) => {
        if (text === OBSERVE_CONTAINER) cancel.abort();
        return { stdout: text === STOP_PROCESS ? "container=yes" : (HEALTHY[text] ?? "") };
      },
      endpoint: { "/health": null },
      signal: cancel.signal,
    });
    await expect(startServer(context)).rejects.toMatchObject({ code: "CANCELLED" });
    expect(ran().at(-1)).toBe("stop container");
    expect(shell.ran.at(-1)?.env).toMatchObject({ GRACE_S: "2", KEEP_LOG: "no" });
  });

  it("shows the first error when stopping fails as well, and what is left as a warning", async () => {
    const host = { ...EXITED("exited 1 false", "boom"), [STOP_PROCESS]: "container=yes" };
    let stops = 0;
    const { context, lines } = world({
      handler: ({ text }) => {
        if (text !== STOP_CONTAINER) return { stdout: { ...HEALTHY, ...host }[text] ?? "" };
        stops += 1;
        return { stdout: stops === 1 ? "" : "left=container arc-vllm-8000" };
      },
      endpoint: { "/health": null },
    });
    await expect(startServer(context)).rejects.toMatchObject({ code: "SERVER_EXITED" });
    expect(lines.join("\n")).toMatch(/Cannot stop the server .* container arc-vllm-8000 did not end/);
  });
});

describe("startServer() with a server that runs already", () => {
  it("starts and stops nothing", async () => {
    const { context, ran } = world({ serve: urlServe() });
    const server = await startServer(context);
    await server.stop();
    expect(ran()).toEqual([]);
    expect(server.deployment).toMatchObject({ engine: "url", argv: [], readyMs: null, maxModelLen: 2048 });
  });

  it("throws ENDPOINT_UNREACHABLE soon when nothing listens", async () => {
    const { context } = world({ serve: urlServe({ readyTimeoutMs: 600_000 }), endpoint: { "/health": null } });
    await expect(startServer(context)).rejects.toMatchObject({ code: "ENDPOINT_UNREACHABLE" });
    expect(context.clock.nowMs()).toBeLessThan(15_000);
  });

  it("waits for a server that is still loading", async () => {
    let asked = 0;
    const { context } = world({ serve: urlServe() });
    const models = fakeModelStream((request) => {
      if (!request.url.endsWith("/health")) return vllmAnswers("Llama-3.1")(request);
      asked += 1;
      return { status: asked < 5 ? 503 : 200 };
    });
    await expect(startServer({ ...context, models })).resolves.toBeDefined();
  });
});
