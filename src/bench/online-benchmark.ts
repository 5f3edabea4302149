import { randomBytes } from "node:crypto";
import type { RequestTrace, ServerCheck } from "../measure/load-point.ts";
import { sampleServer, serverCheckOf } from "../measure/server-check.ts";
import { serverCounterReader } from "../measure/server-counters.ts";
import { preparePrompts } from "../prompts/prompts.ts";
import { requestBody } from "../prompts/request-body.ts";
import { serverTokenizer } from "../prompts/server-tokenizer.ts";
import { checkFirstAnswer } from "./check-endpoint.ts";
import { driveClosedLoop, type Launch } from "./drive-load.ts";
import { inFlight } from "./in-flight.ts";
import { type Phase, phaseProgress } from "./phase-progress.ts";
import { whileShowing } from "./progress-text.ts";
import type { RunWorkloadContext } from "./run-workload.ts";
import { startRequest } from "./start-request.ts";

export type OnlineBenchmarkContext = Pick<
  RunWorkloadContext,
  "workload" | "baseUrl" | "model" | "apiKey" | "models" | "clock" | "signal" | "onProgress"
> & { readonly concurrency: number };

export interface OnlineBenchmarkRun {
  readonly traces: readonly RequestTrace[];
  readonly server: ServerCheck;
}

/** Warm-up and measured requests, as multiples of the concurrency. */
const WARM_UP_TIMES = 2;
const MEASURED_TIMES = 4;

/**
 * Sends what ipex-llm's vllm_online_benchmark.py sends: two requests of 32 tokens one after the other, then a warm-up of
 * twice and a measurement of four times the concurrency, every request with the same prompt and `ignore_eos`. Throws as
 * `runWorkload` does when the endpoint cannot be measured; a cancelled run returns what came until then.
 */
export async function runOnlineBenchmark(context: OnlineBenchmarkContext): Promise<OnlineBenchmarkRun> {
  const { workload, models, clock, signal, concurrency, baseUrl, model, onProgress } = context;
  const requests = inFlight(clock, Math.min(workload.stallTimeoutMs, workload.totalTimeoutMs));
  const cancel = () => requests.cancelAll();
  signal.addEventListener("abort", cancel, { once: true });
  const launchOf = await launcher(context, requests.watch);
  const place = { index: 1, of: null };
  const send = (kind: Phase["kind"], count: number, atOnce: number, outputTokens: number) => {
    const phase = { kind, concurrency: atOnce, repeat: 0, total: count, place };
    const progress = phaseProgress(workload, phase, requests, clock.nowMs());
    const launch = launchOf(kind, outputTokens, progress.add);
    return whileShowing(progress, onProgress, clock, () =>
      driveClosedLoop({ count, concurrency: atOnce, durationMs: null }, launch, clock, signal),
    );
  };
  try {
    const [first] = await send("first", 2, 1, 32);
    if (first !== undefined && !signal.aborted) checkFirstAnswer(first, `${baseUrl}${workload.endpoint}`, model);
    await send("warm-up", WARM_UP_TIMES * concurrency, concurrency, workload.outputTokens);
    const { result: traces, samples } = await sampleServer(
      serverCounterReader(models, context, signal),
      clock,
      () => send("measure", MEASURED_TIMES * concurrency, concurrency, workload.outputTokens),
      (before, after, done) => (after.successes ?? 0) - (before.successes ?? 0) >= done.length,
    );
    return { traces, server: serverCheckOf(samples, traces) };
  } finally {
    signal.removeEventListener("abort", cancel);
    requests.stop();
  }
}

/** Every body holds the one prompt, and no salt: the server's prefix cache finds what the requests before left in it. */
async function launcher(
  { workload, baseUrl, model, apiKey, models, clock, signal }: OnlineBenchmarkContext,
  watch: ReturnType<typeof inFlight>["watch"],
): Promise<(name: string, outputTokens: number, onTrace: (trace: RequestTrace) => void) => Launch> {
  const { endpoint, inputTokens } = workload;
  if (inputTokens === null) throw new Error("The prompt has a length of its own here");
  const tokenizer = serverTokenizer(models, { baseUrl, apiKey, model }, signal);
  const prompts = await preparePrompts({ ...workload, inputTokens }, tokenizer);
  const [prompt] = prompts.make("online-benchmark", 1);
  if (prompt === undefined) throw new Error("One prompt was asked for");
  const runId = randomBytes(4).toString("hex");
  return (name, outputTokens, onTrace) => {
    const options = { model, usagePerChunk: false, cacheSalt: null };
    const body = requestBody({ ...workload, outputTokens }, prompt, options);
    return async (index, due) => {
      const plan = {
        ...{ index, body, apiKey, rid: `arc-${runId}-${name}-${index}`, url: `${baseUrl}${endpoint}` },
        wantedTokens: outputTokens,
        ...{ stallTimeoutMs: workload.stallTimeoutMs, totalTimeoutMs: workload.totalTimeoutMs },
      };
      const trace = await watch(startRequest(models, clock, plan, due));
      onTrace(trace);
      return trace;
    };
  };
}
