import type { Clock } from "../ports/clock.ts";
import { bytesPerParam, readModelShape } from "./model-shape.ts";
import type { HostSpeed } from "./performance-model.ts";
import { tokenText } from "./token-text.ts";
import { startVllmEngine, type VllmEngine } from "./vllm-engine.ts";
import { parseVllmFlags, type VllmFlags } from "./vllm-flags.ts";
import { vllmMetrics } from "./vllm-metrics.ts";
import { startVllmServer, type VllmServer } from "./vllm-server.ts";
import { checkStart, type StartCheck } from "./vllm-start-check.ts";

/** What the process sees of its container and of the host under it. */
export interface VllmWorld {
  readonly clock: Clock;
  /** Waits for so many milliseconds of the virtual host's time. */
  readonly pause: (virtualMs: number) => Promise<void>;
  readonly readFile: (path: string) => Promise<string | null>;
  readonly env: () => Promise<Readonly<Record<string, string>>>;
  readonly visibleGpus: number;
  /** Memory limit of the container in GiB; null: the host's. */
  readonly memoryGib: number | null;
  readonly hostSpeed: () => HostSpeed;
  readonly slowdownPct: number;
  readonly seed: number;
  /** The loopback port behind a port of the virtual host; null: another process listens there. */
  readonly realPort: (port: number) => number | null;
  /** Told when the server begins to listen, so that `ss` can show it. */
  readonly listening: (port: number, realPort: number) => void;
  /** Told how to see whether the server computes, once it can. */
  readonly working: (work: { readonly tensorParallel: number; readonly isBusy: () => boolean }) => void;
  readonly log: (line: string) => void;
}

export interface ProcessEnd {
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

export interface VirtualProcess {
  readonly ended: Promise<ProcessEnd>;
  /** SIGTERM: open streams end with finish_reason "abort". */
  terminate(): void;
}

/** Marks every log of the look-alike, in its first and in its last lines. */
const SIMULATED = "(simulated by the embedded host of arc-vllm)";

/** `python -m ipex_llm.vllm.xpu.entrypoints.openai.api_server` with the words after it. */
export function startVllmProcess(argv: readonly string[], world: VllmWorld): VirtualProcess {
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) =>
    stop.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  return { ended: run(argv, world, { stop, stopped }), terminate: () => stop.abort() };
}

interface Stopping {
  readonly stop: AbortController;
  readonly stopped: Promise<void>;
}

async function run(argv: readonly string[], world: VllmWorld, { stop, stopped }: Stopping): Promise<ProcessEnd> {
  await world.pause(3_000);
  const parsed = parseVllmFlags(argv, await world.env());
  if ("usage" in parsed) return exit(2, parsed.usage, world);
  const { flags } = parsed;
  info(world, "api_server.py:1034", `vLLM API server version 0.8.3 ${SIMULATED}`);
  info(world, "api_server.py:1035", `args: ${argv.join(" ")}`);

  const model = readModelShape((await world.readFile(`${flags.model}/config.json`)) ?? "");
  const check = checkStart(flags, model, world.visibleGpus);
  if (model !== null && (await killedForMemory(model.params, check, world))) return { exitCode: 137, oomKilled: true };
  if (!check.ok) {
    info(world, "config.py:600", "This model supports multiple tasks: {'generate', 'embed', 'score'}.");
    return exit(1, traceback(check.error), world);
  }
  await loadWeights(flags, check, world);
  if (stop.signal.aborted) return exit(0, "INFO:     Finished server process [1]", world);

  const shape = model as NonNullable<typeof model>;
  const engine = startVllmEngine({
    clock: world.clock,
    serving: {
      model: shape,
      bytesPerParam: bytesPerParam(flags.lowBit),
      tensorParallel: flags.tensorParallel,
      slowdownPct: world.slowdownPct,
    },
    limits: check.limits,
    hostSpeed: world.hostSpeed,
    seed: world.seed,
    // The first step after a start compiles kernels (ipex-llm's vLLM guide: first requests are slow, so warm up).
    firstStepMs: 300,
  });
  const server = await serve(flags, check.maxModelLen, shape.vocabSize, engine, world);
  if (server === null) return exit(1, portInUse(flags), world);
  await stopped;
  await shutDown(engine, server, world);
  return { exitCode: 0, oomKilled: false };
}

/** Quantising while loading keeps the fp16 weights in host memory first. */
async function killedForMemory(params: number, check: StartCheck, world: VllmWorld): Promise<boolean> {
  const neededGib = (params * 2) / 2 ** 30 + 1.5;
  if (!check.ok || world.memoryGib === null || neededGib <= world.memoryGib) return false;
  info(world, "loader.py:447", "Loading safetensors checkpoint shards:  50% Completed | 2/4");
  await world.pause(4_000);
  return true;
}

async function loadWeights(flags: VllmFlags, check: StartCheck & { ok: true }, world: VllmWorld): Promise<void> {
  info(
    world,
    "config.py:600",
    "This model supports multiple tasks: {'generate', 'embed', 'score'}. Defaulting to 'generate'.",
  );
  if (flags.tensorParallel > 1) {
    info(world, "ray_distributed_executor.py:176", `use_ray_spmd_worker: False, world size ${flags.tensorParallel}`);
  }
  await world.pause(9_000 / flags.tensorParallel);
  info(world, "model_runner.py:1130", `Loading model weights took ${check.weightsGib.toFixed(4)} GB`);
  await world.pause(6_000);
  const { kvTokens } = check.limits;
  info(world, "worker.py:267", `Memory profiling: gpu_memory_utilization (${flags.gpuMemoryUtilization.toFixed(2)})`);
  info(
    world,
    "executor_base.py:112",
    `# xpu blocks: ${Math.floor(kvTokens / 8)}, GPU KV cache size: ${kvTokens.toLocaleString("en-US")} tokens`,
  );
  const concurrency = (kvTokens / check.maxModelLen).toFixed(2);
  info(
    world,
    "executor_base.py:117",
    `Maximum concurrency for ${check.maxModelLen} tokens per request: ${concurrency}x`,
  );
}

async function serve(
  flags: VllmFlags,
  maxModelLen: number,
  vocabSize: number,
  engine: VllmEngine,
  world: VllmWorld,
): Promise<VllmServer | null> {
  const port = world.realPort(flags.port);
  if (port === null) {
    await engine.stop();
    return null;
  }
  const server = await startVllmServer({
    clock: world.clock,
    engine,
    metrics: vllmMetrics(flags.servedModelName),
    tokens: tokenText(vocabSize, vocabSize > 128_000 && vocabSize < 129_000 ? 128_000 : null),
    servedModelName: flags.servedModelName,
    maxModelLen,
    vocabSize,
    port,
    modelRoot: flags.model,
    apiKey: flags.apiKey,
    requestIdHeaders: flags.requestIdHeaders,
    log: world.log,
  }).catch(() => null);
  if (server === null) {
    await engine.stop();
    return null;
  }
  world.listening(flags.port, server.port);
  world.working({ tensorParallel: flags.tensorParallel, isBusy: () => engine.stats().running > 0 });
  info(world, "launcher.py:26", `Starting vLLM API server on http://${flags.host}:${flags.port}`);
  world.log("INFO:     Started server process [1]");
  world.log("INFO:     Waiting for application startup.");
  world.log("INFO:     Application startup complete.");
  world.log(`INFO:     Uvicorn running on http://${flags.host}:${flags.port} (Press CTRL+C to quit) ${SIMULATED}`);
  return server;
}

async function shutDown(engine: VllmEngine, server: VllmServer, world: VllmWorld): Promise<void> {
  world.log("INFO:     Shutting down");
  await engine.stop();
  await server.close();
  world.log("INFO:     Application shutdown complete.");
  world.log(`INFO:     Finished server process [1] ${SIMULATED}`);
}

function exit(exitCode: number, lines: string, world: VllmWorld): ProcessEnd {
  for (const line of lines.split("\n")) world.log(line);
  return { exitCode, oomKilled: false };
}

function portInUse({ host, port }: VllmFlags): string {
  const words = "[Errno 98] error while attempting to bind on address";
  return `ERROR:    ${words} ('${host}', ${port}): address already in use`;
}

function traceback(error: string): string {
  return [
    "Traceback (most recent call last):",
    '  File "<frozen runpy>", line 198, in _run_module_as_main',
    '  File "/usr/local/lib/python3.11/dist-packages/ipex_llm/vllm/xpu/entrypoints/openai/api_server.py", line 1125, in <module>',
    "    uvloop.run(run_server(args))",
    error,
  ].join("\n");
}

function info(world: VllmWorld, at: string, message: string): void {
  const iso = world.clock.isoNow();
  world.log(`INFO ${iso.slice(5, 10)} ${iso.slice(11, 19)} [${at}] ${message}`);
}
