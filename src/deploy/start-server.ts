import type { EndpointApi } from "../config/endpoint-api.ts";
import type { IpexLlmServe, ServeSpec, VllmServe } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Console } from "../ports/console.ts";
import type { ModelStream } from "../ports/model-stream.ts";
import type { Shell } from "../ports/shell.ts";
import type { Deployment, RunningServer } from "./deployment.ts";
import { askVersion, type EndpointUnderTest } from "./endpoint-check.ts";
import type { Engine, Launch } from "./engine.ts";
import { ipexLlmEngine } from "./ipex-llm-engine.ts";
import { waitUntilReady } from "./readiness.ts";
import { stopServer } from "./stop-server.ts";
import { vllmEngine } from "./vllm-engine.ts";

export interface StartContext {
  readonly shell: Shell;
  readonly models: ModelStream;
  readonly clock: Clock;
  readonly console: Console;
  readonly serve: ServeSpec;
  /** Name for messages, and the address under which the server is reached from here. */
  readonly host: { readonly name: string; readonly address: string };
  readonly signal: AbortSignal;
  /** Whose paths a server that runs already has; absent: "openai". */
  readonly api?: EndpointApi;
  /** The mark of the guard that watches this server; a server without one is nobody's but its port's. */
  readonly owner?: string;
  /** Start the server again with the host, until it is stopped; for a container only. Otherwise a reboot ends it. */
  readonly survivesReboot?: boolean;
}

/**
 * Starts the model server of a configuration and waits until it answered one real completion. A server of ours that is
 * left on the port is ended first. When anything fails, what was started is stopped before the error is thrown.
 */
export async function startServer(context: StartContext): Promise<RunningServer> {
  const { serve } = context;
  return serve.engine === "url" ? useRunningServer(context, serve.baseUrl) : launchServer(context, serve);
}

async function useRunningServer(context: StartContext, baseUrl: string): Promise<RunningServer> {
  const deployment = await becomeReady(context, baseUrl, null, null);
  return { deployment, stop: async () => {}, logTail: async () => [] };
}

async function launchServer(context: StartContext, serve: IpexLlmServe | VllmServe): Promise<RunningServer> {
  const { shell, console, host, signal } = context;
  const left = await stopServer({ shell, port: serve.port });
  if (left.ended.length > 0) {
    console.warn(`Ended a server that an earlier run left on host "${host.name}": ${left.ended.join(", ")}`);
  }

  const engine = engineOf(context, serve);
  const stop = async (keepLog = false) => {
    // A cancelled Action has seconds to end; the server must be gone by then.
    const graceMs = signal.aborted ? CANCELLED_GRACE_MS : GRACE_MS;
    return stopServer({ shell, port: serve.port, graceMs, keepLog });
  };
  try {
    console.info(
      `Starting ${serve.engine} server "${serve.servedModelName}" on port ${serve.port} of host "${host.name}"`,
    );
    const start = await engine.prepare();
    const started = { startedMs: context.clock.nowMs(), startedAt: context.clock.isoNow() };
    const launch = await start();
    const baseUrl = `http://${urlHost(host.address)}:${serve.port}`;
    const deployment = await becomeReady(context, baseUrl, { engine, launch, ...started }, serve);
    return {
      deployment,
      stop: async () => void (await stop()),
      logTail: async (lines) => (await engine.observe(lines)).log,
    };
  } catch (error) {
    throw await withLogPath(error, context, () => stop(!signal.aborted));
  }
}

const GRACE_MS = 10_000;
const CANCELLED_GRACE_MS = 2000;

interface Launched {
  readonly engine: Engine;
  readonly launch: Launch;
  readonly startedMs: number;
  readonly startedAt: string;
}

async function becomeReady(
  context: StartContext,
  baseUrl: string,
  launched: Launched | null,
  serve: IpexLlmServe | VllmServe | null,
): Promise<Deployment> {
  const { models, clock, console, host, signal } = context;
  const { servedModelName, apiKey, readyTimeoutMs, engine } = context.serve;
  const endpoint: EndpointUnderTest = { baseUrl, servedModelName, apiKey, ...(context.api && { api: context.api }) };
  const startedAt = launched?.startedAt ?? clock.isoNow();
  const maxModelLen = await waitUntilReady({
    ...{ models, clock, console, signal, endpoint, readyTimeoutMs, host: host.name, port: serve?.port ?? 0 },
    observe: launched === null ? null : (lines) => launched.engine.observe(lines),
  });
  const readyMs = launched === null ? null : clock.nowMs() - launched.startedMs;
  const version = await askVersion(models, endpoint, { timeoutMs: 10_000, signal });
  const ready = readyMs === null ? "is ready" : `is ready after ${(readyMs / 1000).toFixed(1)} s`;
  console.info(`Server "${servedModelName}" ${ready} at ${baseUrl}`);
  return {
    host: host.name,
    engine,
    baseUrl,
    servedModelName,
    engineVersion: version ?? launched?.launch.imageTag ?? null,
    imageDigest: launched?.launch.imageDigest ?? null,
    argv: launched?.launch.argv ?? [],
    env: launched?.launch.env ?? {},
    tensorParallel: serve === null ? null : Number(serve.flags["tensor-parallel-size"] ?? 1),
    maxModelLen,
    startedAt,
    readyMs,
  };
}

function engineOf(context: StartContext, serve: IpexLlmServe | VllmServe): Engine {
  return serve.engine === "ipex-llm" ? ipexLlmEngine({ ...context, serve }) : vllmEngine({ ...context, serve });
}

/** The error of a failed start, after stopping what was started; says where the server's whole log is kept. */
async function withLogPath(
  error: unknown,
  { console, host }: StartContext,
  stop: () => Promise<{ logPath: string | null }>,
): Promise<unknown> {
  const { logPath } = await stop().catch((stopError: unknown) => {
    // The first error is the one to show; this one says what to clean up.
    console.warn(stopError instanceof Error ? stopError.message : String(stopError));
    return { logPath: null };
  });
  if (logPath === null || !(error instanceof AppError) || error.code === "CANCELLED") return error;
  return new AppError(error.code, {
    message: `${error.message}\nIts whole log is kept at ${logPath} on host "${host.name}"`,
    hint: error.hint,
    cause: error.cause,
  });
}

function urlHost(address: string): string {
  return address.includes(":") && !address.startsWith("[") ? `[${address}]` : address;
}
