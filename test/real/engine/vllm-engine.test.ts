import { existsSync, readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join, resolve } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../../src/adapters-http/http-model-stream.ts";
import { openShell } from "../../../src/adapters-shell/open-shell.ts";
import { checkFlags } from "../../../src/config/engine-flags.ts";
import type { Flags } from "../../../src/config/flag-problem.ts";
import { type StartContext, startServer } from "../../../src/deploy/start-server.ts";
import { stopServer } from "../../../src/deploy/stop-server.ts";
import { vllmServe } from "../../deploy/serve-specs.ts";

// The vllm engine with a real vLLM on this machine's processor (scripts/real-vllm/install.sh).

const engine = resolve(process.env["ARC_VLLM_ENGINE_DIR"] ?? join(import.meta.dirname, "../../../.cache/real-vllm"));
let port: number;

beforeAll(async () => {
  port = await freePort();
});

afterEach(async () => {
  await stopServer({ shell: await localShell(), port, graceMs: 0 });
});

const localShell = () => openShell({ connection: "local", name: "here", address: "127.0.0.1" }, systemClock);

const FLAGS: Flags = {
  "distributed-executor-backend": "uni",
  "enforce-eager": true,
  dtype: "float32",
  "max-model-len": 4096,
  "max-num-seqs": 16,
  "kv-cache-memory-bytes": 268_435_456,
  "enable-request-id-headers": true,
};

async function world(flags: Flags): Promise<StartContext> {
  const silent = () => {};
  return {
    shell: await localShell(),
    models: httpModelStream(),
    clock: systemClock,
    console: { info: silent, warn: silent, error: silent, group: silent, endGroup: silent, progress: silent },
    serve: vllmServe({
      venv: join(engine, "venv"),
      model: join(engine, "model"),
      servedModelName: "tiny",
      port,
      bind: "127.0.0.1",
      readyTimeoutMs: 180_000,
      flags,
      env: {
        HF_HUB_OFFLINE: "1",
        VLLM_HOST_IP: "127.0.0.1",
        VLLM_ENABLE_V1_MULTIPROCESSING: "0",
        OMP_NUM_THREADS: "1",
        TORCH_COMPILE_DISABLE: "1",
      },
    }),
    host: { name: "here", address: "127.0.0.1" },
    signal: new AbortController().signal,
  };
}

/** Processes that run from the virtual environment of this test on its port. */
function serverProcesses(): string[] {
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && environment(pid).includes(`/arc-vllm/${port}/tmp`));
}

function environment(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}

describe("vllm engine with a real vLLM", () => {
  it("starts it, learns what it serves, and ends both of its processes while a stream is open", async () => {
    expect(checkFlags("vllm", FLAGS)).toEqual([]);
    const server = await startServer(await world(FLAGS));
    expect(server.deployment).toMatchObject({ engine: "vllm", maxModelLen: 4096, tensorParallel: 1 });
    expect(server.deployment.engineVersion).toMatch(/^\d+\.\d+\.\d+/);
    expect(serverProcesses().length).toBeGreaterThan(1);

    const open = request(`${server.deployment.baseUrl}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    open.on("error", () => {});
    open.end(JSON.stringify({ model: "tiny", prompt: "Hi", stream: true, max_tokens: 4000, ignore_eos: true }));
    await new Promise((answered) =>
      open.on("response", (response) => answered(response.on("error", () => {}).resume())),
    );

    await server.stop();
    expect(serverProcesses()).toEqual([]);
    expect(existsSync(join(process.env["HOME"] ?? "", `.local/state/arc-vllm/${port}`))).toBe(false);
  });

  it("names a flag that this version does not know", async () => {
    await expect(startServer(await world({ ...FLAGS, "no-such-flag": 1 }))).rejects.toMatchObject({
      code: "SERVER_EXITED",
      message: expect.stringContaining("unrecognized arguments: --no-such-flag"),
      hint: expect.stringContaining("Remove --no-such-flag"),
    });
  });

  it("says which context length fits when the KV cache is too small", async () => {
    await expect(startServer(await world({ ...FLAGS, "kv-cache-memory-bytes": 1_048_576 }))).rejects.toMatchObject({
      code: "SERVER_OUT_OF_MEMORY",
      message: expect.stringMatching(/KV cache/),
      hint: expect.stringMatching(/max-model-len/),
    });
    expect(serverProcesses()).toEqual([]);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port: free } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return free;
}
