import { AppError } from "../core/app-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Console } from "../ports/console.ts";
import type { ModelStream } from "../ports/model-stream.ts";
import { checkEndpoint, type EndpointState, type EndpointUnderTest } from "./endpoint-check.ts";
import type { Observation } from "./engine.ts";
import { exitFailure, notReadyFailure } from "./server-failure.ts";

export interface ReadinessContext {
  readonly models: ModelStream;
  readonly clock: Clock;
  readonly console: Console;
  readonly signal: AbortSignal;
  readonly host: string;
  readonly port: number;
  readonly endpoint: EndpointUnderTest;
  readonly readyTimeoutMs: number;
  /** Looks at the process or container; null for a server that is not ours. */
  readonly observe: ((logLines: number) => Promise<Observation>) | null;
}

/**
 * Waits until the server answered one real completion, watching that it still runs. Returns max_model_len. Throws
 * SERVER_EXITED, SERVER_OUT_OF_MEMORY, PORT_IN_USE or SERVER_NOT_READY with the last log lines, ENDPOINT_UNREACHABLE
 * for a server that is not ours, CANCELLED, or what `checkEndpoint` throws.
 */
export async function waitUntilReady(context: ReadinessContext): Promise<number | null> {
  const { models, clock, endpoint, signal } = context;
  const startedMs = clock.nowMs();
  let patienceMs = context.readyTimeoutMs;
  let nextProgressMs = PROGRESS_EVERY_MS;

  for (;;) {
    const elapsedMs = clock.nowMs() - startedMs;
    requireNotCancelled(signal, endpoint);
    const askMs = Math.max(MIN_ASK_MS, Math.min(MAX_ASK_MS, patienceMs - elapsedMs));
    const state = await checkEndpoint(models, endpoint, { timeoutMs: askMs, signal });
    // Also when it is ready: another server could answer on the port while ours ends because of that.
    const seen = await observeRunning(context, clock.nowMs() - startedMs);
    if (state.ready) return state.maxModelLen;

    if (context.observe === null && state.unreachable) patienceMs = Math.min(patienceMs, FOREIGN_PATIENCE_MS);
    const waitedMs = clock.nowMs() - startedMs;
    if (waitedMs >= patienceMs) throw notReady(context, state, seen, waitedMs);
    if (waitedMs >= nextProgressMs) {
      nextProgressMs = waitedMs + PROGRESS_EVERY_MS;
      context.console.progress(progressLine(context, state, seen, waitedMs));
    }
    await clock.sleep(waitedMs < QUICK_UNTIL_MS ? QUICK_POLL_MS : SLOW_POLL_MS, signal);
  }
}

const QUICK_POLL_MS = 500;
const SLOW_POLL_MS = 2000;
const QUICK_UNTIL_MS = 15_000;
const PROGRESS_EVERY_MS = 5000;
/** The first request compiles kernels on XPU. */
const MAX_ASK_MS = 120_000;
const MIN_ASK_MS = 1000;
/** A server that someone else runs is expected to be up; its address is more likely wrong than early. */
const FOREIGN_PATIENCE_MS = 10_000;
const LOG_LINES = 200;

async function observeRunning(context: ReadinessContext, elapsedMs: number): Promise<Observation | null> {
  if (context.observe === null) return null;
  const seen = await context.observe(LOG_LINES);
  if (seen.state === "exited") throw exitFailure(context, seen, elapsedMs);
  return seen;
}

function requireNotCancelled(signal: AbortSignal, endpoint: EndpointUnderTest): void {
  if (!signal.aborted) return;
  throw new AppError("CANCELLED", {
    message: `Cannot wait for model "${endpoint.servedModelName}": the run was cancelled`,
    hint: "Run again when ready",
  });
}

function notReady(
  context: ReadinessContext,
  state: EndpointState & { ready: false },
  seen: Observation | null,
  waitedMs: number,
): AppError {
  if (seen === null && state.unreachable) {
    return new AppError("ENDPOINT_UNREACHABLE", {
      message: `Cannot use the endpoint ${context.endpoint.baseUrl}: ${state.why}`,
      hint: "Start the server, or correct the address and port",
    });
  }
  return notReadyFailure(context, state.why, seen?.log ?? [], waitedMs);
}

function progressLine(
  context: ReadinessContext,
  state: EndpointState & { ready: false },
  seen: Observation | null,
  waitedMs: number,
): string {
  const time = `${Math.round(waitedMs / 1000)} s of ${Math.round(context.readyTimeoutMs / 1000)} s`;
  const last = seen?.log.findLast((line) => line.trim() !== "") ?? state.why;
  return `Waiting for "${context.endpoint.servedModelName}" on "${context.host}": ${time}: ${last.trim()}`;
}
