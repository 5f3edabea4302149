import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../src/adapters-http/http-model-stream.ts";
import { openShell } from "../../src/adapters-shell/open-shell.ts";
import type { VllmServe } from "../../src/config/run-config.ts";
import { Secret } from "../../src/core/secret.ts";
import { guardServer } from "../../src/deploy/guard-server.ts";
import { type StartContext, startServer } from "../../src/deploy/start-server.ts";
import { stopServer } from "../../src/deploy/stop-server.ts";
import { vllmServe } from "../deploy/serve-specs.ts";

// The scripts of the vllm engine on this machine, with a stand-in for the `vllm` command (fakes/stand-in-vllm.mjs).

const standIn = resolve(import.meta.dirname, "../fakes/stand-in-vllm.mjs");
const home = process.env["HOME"];
let folder: string;
let port: number;
let lines: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "vllm-engine-"));
  process.env["HOME"] = folder;
  mkdirSync(join(folder, "venv/bin"), { recursive: true });
  writeFileSync(join(folder, "venv/bin/vllm"), `#!/bin/sh\nexec node "${standIn}" "$@"\n`, { mode: 0o755 });
  mkdirSync(join(folder, "tiny"));
  writeFileSync(join(folder, "tiny/config.json"), "{}");
  port = await freePort();
  lines = [];
});

afterEach(async () => {
  const { shell } = await world();
  await stopServer({ shell, port, graceMs: 0 });
  process.env["HOME"] = home;
  rmSync(folder, { recursive: true });
});

async function world(different: Partial<VllmServe> = {}, mode = "serve"): Promise<StartContext> {
  const say = (line: string) => void lines.push(line);
  return {
    shell: await openShell({ connection: "local", name: "here", address: "127.0.0.1" }, systemClock),
    models: httpModelStream(),
    clock: systemClock,
    console: { info: say, warn: say, error: say, group: say, endGroup: () => {}, progress: say },
    serve: vllmServe({
      venv: join(folder, "venv"),
      model: join(folder, "tiny"),
      servedModelName: "tiny",
      port,
      bind: "127.0.0.1",
      readyTimeoutMs: 10_000,
      env: { STAND_IN: mode, STAND_IN_PIDS: join(folder, "pids") },
      ...different,
    }),
    host: { name: "here", address: "127.0.0.1" },
    signal: new AbortController().signal,
  };
}

/** Processes that the stand-in noted and that still run; a zombie does not. */
function alive(): string[] {
  const file = join(folder, "pids");
  const pids = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  return pids.filter((pid) => existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")));
}

const stateFolder = () => join(folder, ".local/state/arc-vllm");

describe("vllm engine on this machine", () => {
  it("serves, and after stop neither a process nor a file is left", async () => {
    const server = await startServer(await world());
    expect(server.deployment).toMatchObject({ engineVersion: "0.32.0", maxModelLen: 4096, imageDigest: null });
    expect(alive()).toHaveLength(3);

    await server.stop();
    expect(alive()).toEqual([]);
    expect(existsSync(stateFolder())).toBe(false);
    await server.stop();
  });

  it("keeps the server's files from other users", async () => {
    await startServer(await world());
    expect(statSync(join(stateFolder(), String(port))).mode & 0o777).toBe(0o700);
  });

  it("starts the command line that it reports, with the user's environment", async () => {
    const { serve, ...rest } = await world({ flags: { "max-num-seqs": 4, "hf-overrides": '{"a": "$HOME `id`"}' } });
    const server = await startServer({ serve, ...rest });
    const log = (await server.logTail(100)).join("\n");
    expect(log).toContain(`stand-in starts as ${server.deployment.argv.slice(1).join(" ")}`);
    expect(log).toContain('"STAND_IN":"serve"');
  });

  it("takes the vllm command of PATH without a virtual environment", async () => {
    const path = process.env["PATH"];
    process.env["PATH"] = `${join(folder, "venv/bin")}:${path}`;
    try {
      const server = await startServer(await world({ venv: null }));
      expect(server.deployment.argv[0]).toBe(join(folder, "venv/bin/vllm"));
    } finally {
      process.env["PATH"] = path;
    }
  });

  it("gives the server its API key, and no command line shows it", async () => {
    const server = await startServer(await world({ apiKey: new Secret("hunter2-key") }));
    const words = alive().map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8"));
    expect([...words, ...server.deployment.argv].join(" ")).not.toContain("hunter2-key");
    const answer = await httpModelStream().ask(
      { method: "GET", url: `${server.deployment.baseUrl}/v1/models`, headers: {} },
      { timeoutMs: 2000 },
    );
    expect(answer.status).toBe(401);
  });

  it("outlives the connection that started it, and a later process can stop it", async () => {
    const { shell, ...rest } = await world();
    await startServer({ shell, ...rest });
    await shell[Symbol.asyncDispose]();
    expect(alive()).toHaveLength(3);

    const later = await world();
    const report = await stopServer({ shell: later.shell, port });
    expect(report.ended).toEqual([expect.stringMatching(/^process group \d+$/)]);
    expect(alive()).toEqual([]);
  });

  it("kills an engine process that does not listen to TERM", async () => {
    const { shell, ...rest } = await world({}, "stubborn");
    await startServer({ shell, ...rest });
    await stopServer({ shell, port, graceMs: 1000 });
    expect(alive()).toEqual([]);
  });

  it("stops while a client holds a stream open", async () => {
    const { shell, ...rest } = await world();
    const server = await startServer({ shell, ...rest });
    const request = get(`${server.deployment.baseUrl}/v1/endless`);
    request.on("error", () => {});
    await new Promise((answered) => request.on("response", (response) => answered(response.resume())));

    await stopServer({ shell, port, graceMs: 1000 });
    expect(alive()).toEqual([]);
  });

  it("ends what a killed server leaves running", async () => {
    const context = await world({}, "headless");
    await expect(startServer(context)).rejects.toMatchObject({ code: "SERVER_OUT_OF_MEMORY" });
    expect(alive()).toEqual([]);
  });

  it("ends a server that an earlier run left on the port before it starts a new one", async () => {
    await startServer(await world());
    const first = alive();
    await startServer(await world());
    expect(lines.join("\n")).toMatch(/an earlier run left on host "here": process group \d+/);
    expect(alive().filter((pid) => first.includes(pid))).toEqual([]);
  });

  it("ends a server whose run vanished, and never the server of the next run on that port", async () => {
    const context = await world();
    const guard = guardServer(context.shell, port, "vllm");
    await startServer({ ...context, owner: guard.owner });
    await guard.release();
    await expect.poll(alive, { timeout: 10_000 }).toEqual([]);

    const next = guardServer(context.shell, port, "vllm");
    const server = await startServer({ ...context, owner: next.owner });
    await server.stop();
    await next.release();
    await startServer({ ...context, owner: "the run after it" });
    // The guard looks again every 2 s.
    await new Promise((done) => setTimeout(done, 3_000));
    expect(alive()).toHaveLength(3);
  });

  it("does not touch a process that only has the same number", async () => {
    const state = join(stateFolder(), String(port));
    mkdirSync(state, { recursive: true });
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    writeFileSync(join(state, "server"), `${process.pid} 1 ${boot} no-such-token\n`);
    const { shell } = await world();
    expect((await stopServer({ shell, port })).ended).toEqual([]);
    expect(existsSync(state)).toBe(false);
  });
});

describe("vllm engine when the server does not come up", () => {
  it.each([
    { mode: "crash", code: "SERVER_EXITED", says: /code 3 .*[\s\S]*traceback line 11\n[\s\S]*traceback line 30/ },
    { mode: "killed", code: "SERVER_OUT_OF_MEMORY", says: /code 137/ },
    { mode: "out-of-memory", code: "SERVER_OUT_OF_MEMORY", says: /UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY/ },
  ])("throws $code when it ends by $mode, and keeps its log", async ({ mode, code, says }) => {
    const failure = await startServer(await world({}, mode)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(says) });
    const kept = join(stateFolder(), `${port}.log`);
    expect((failure as Error).message).toContain(kept);
    expect(readFileSync(kept, "utf8")).toContain("stand-in starts as");
    expect(alive()).toEqual([]);
  });

  it("throws SERVER_NOT_READY with the last log line when it loads for too long", async () => {
    const context = await world({ readyTimeoutMs: 1500 }, "silent");
    await expect(startServer(context)).rejects.toMatchObject({
      code: "SERVER_NOT_READY",
      message: expect.stringContaining("still loading"),
    });
    expect(alive()).toEqual([]);
  });

  it("throws PORT_IN_USE and names the process that has the port", async () => {
    const other = createServer().listen(port, "127.0.0.1");
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
    { name: "vllm", different: { venv: "/nowhere" }, code: "ENGINE_MISSING", says: /"\/nowhere\/bin\/vllm"/ },
    { name: "the model", different: { model: "/nowhere/tiny" }, code: "MODEL_NOT_FOUND", says: /no such folder/ },
  ])("throws $code when $name is missing", async ({ different, code, says }) => {
    await expect(startServer(await world(different))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(says),
    });
  });

  it("names the models beside one that is missing", async () => {
    await expect(startServer(await world({ model: join(folder, "tinny") }))).rejects.toMatchObject({
      message: expect.stringMatching(/beside it are .*tiny/),
    });
  });

  it("leaves no server when the run is cancelled while it loads", async () => {
    const cancel = new AbortController();
    const starting = startServer({ ...(await world({}, "silent")), signal: cancel.signal });
    while (alive().length < 3) await systemClock.sleep(50);
    cancel.abort();
    const cancelledMs = systemClock.nowMs();
    await expect(starting).rejects.toMatchObject({ code: "CANCELLED" });
    expect(alive()).toEqual([]);
    // The runner kills the Action 7.5 s after it asked it to end.
    expect(systemClock.nowMs() - cancelledMs).toBeLessThan(7000);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return free;
}
