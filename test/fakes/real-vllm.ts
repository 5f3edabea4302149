import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join, resolve } from "node:path";

export interface RealVllm extends AsyncDisposable {
  readonly baseUrl: string;
  readonly model: string;
}

const root = resolve(import.meta.dirname, "../..");
const READY_WITHIN_MS = 180_000;
const STOP_WITHIN_MS = 15_000;

/** Serves the tiny model with a real vLLM that `scripts/real-vllm/install.sh` put in place, until it is disposed of. */
export async function startRealVllm(flags: readonly string[] = []): Promise<RealVllm> {
  const engine = process.env["ARC_VLLM_ENGINE_DIR"] ?? join(root, ".cache/real-vllm");
  if (!existsSync(join(engine, "installed"))) throw new Error(`No vLLM in ${engine}: run scripts/real-vllm/install.sh`);
  const port = await freePort();
  // In a process group of its own: the engine outlives a killed API process.
  const server = spawn("bash", [join(root, "scripts/real-vllm/serve.sh"), String(port), ...flags], { detached: true });
  let log = "";
  let exited = false;
  server.stdout.on("data", (text) => {
    log += text;
  });
  server.stderr.on("data", (text) => {
    log += text;
  });
  server.on("exit", () => {
    exited = true;
  });
  const endGroup = (signal: NodeJS.Signals) => {
    try {
      process.kill(-(server.pid ?? 0), signal);
    } catch {
      // Everything in it has ended.
    }
  };
  const stop = async () => {
    endGroup("SIGTERM");
    await until(() => exited, STOP_WITHIN_MS).catch(() => {});
    endGroup("SIGKILL");
    await until(() => !groupIsAlive(), STOP_WITHIN_MS);
  };
  const groupIsAlive = () => {
    try {
      return process.kill(-(server.pid ?? 0), 0);
    } catch {
      return false;
    }
  };

  const baseUrl = `http://127.0.0.1:${port}`;
  try {
    await until(async () => {
      if (exited) throw new Error("vLLM ended while it was starting");
      return (await fetch(`${baseUrl}/health`).catch(() => null))?.ok === true;
    }, READY_WITHIN_MS);
  } catch (cause) {
    await stop();
    throw new Error(`vLLM is not ready:\n${log.slice(-3000)}`, { cause });
  }
  return { baseUrl, model: "tiny", [Symbol.asyncDispose]: stop };
}

async function until(isTrue: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms`);
    await new Promise((resume) => setTimeout(resume, 100));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolvePort) => {
    const taken = createServer().listen(0, "127.0.0.1", () => {
      const { port } = taken.address() as AddressInfo;
      taken.close(() => resolvePort(port));
    });
  });
}
