import { runOnlineBenchmark } from "../bench/online-benchmark.ts";
import { runWorkload } from "../bench/run-workload.ts";
import { AppError } from "../core/app-error.ts";
import type { BenchRequest } from "../inputs/bench-flags.ts";
import { onlineBenchmarkFigures } from "../measure/online-benchmark-figures.ts";
import { summarize } from "../measure/summarize.ts";
import { modelsFor } from "../pipeline/models-for.ts";
import type { World } from "../pipeline/world.ts";
import { onlineBenchmarkReport } from "../report/online-benchmark-report.ts";
import type { CommandOutcome } from "./command-outcome.ts";

/**
 * Measures in the shape of ipex-llm's vllm_online_benchmark.py, shows what that script would print beside the right
 * numbers of the same requests, and beside those of the same load with a prompt of its own for every request.
 */
export async function onlineBenchmark({ serve, workload }: BenchRequest, world: World): Promise<CommandOutcome> {
  const { clock, signal, console, loopWatch } = world;
  const models = modelsFor(serve, world);
  const [concurrency = 1] = workload.concurrency;
  const context = {
    ...{ baseUrl: serve.baseUrl, model: serve.servedModelName, apiKey: serve.apiKey, models, clock, signal },
    onProgress: console.progress,
  };
  const { traces, server } = await runOnlineBenchmark({ ...context, workload, concurrency });
  requireAnswers(
    traces.some(({ outcome }) => outcome === "ok"),
    signal,
    serve.baseUrl,
  );
  const [own] = await runWorkload({
    ...context,
    workload,
    onPoint: () => {},
    ...(loopWatch !== null && { loopWatch }),
  });
  if (own === undefined) throw new Error("One level gives one load point");
  const script = onlineBenchmarkFigures(traces, workload.outputTokens);
  const same = summarize(traces);
  return {
    exitCode: 0,
    text: onlineBenchmarkReport({ script, same, server, own }),
    json: { script, sameRequests: { metrics: same, server }, ownPrompts: own },
  };
}

function requireAnswers(isAnswered: boolean, signal: AbortSignal, baseUrl: string): void {
  if (signal.aborted) {
    throw new AppError("CANCELLED", {
      message: "Cannot finish the online benchmark: the run was cancelled",
      hint: "Run again when ready",
    });
  }
  if (isAnswered) return;
  throw new AppError("BENCH_NO_TOKENS", {
    message: `Cannot measure ${baseUrl}: no request was answered in full`,
    hint: "Look at the server's log, or send one request by hand with curl",
  });
}
