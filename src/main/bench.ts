import type { LoadPoint } from "../bench/load-point.ts";
import { runWorkload } from "../bench/run-workload.ts";
import { savedRequestLine } from "../bench/save-requests.ts";
import { vllmResult } from "../bench/vllm-result.ts";
import { AppError } from "../core/app-error.ts";
import { type BenchRequest, benchResultName } from "../inputs/bench-flags.ts";
import { loadPointTable } from "../report/measure-tables.ts";
import type { CommandOutcome } from "./command-outcome.ts";
import { readWorkloadFiles } from "./read-workload-files.ts";
import type { World } from "./world.ts";

/** Measures any OpenAI-compatible endpoint. What is asked for on disk is written as each load point ends. */
export async function bench(request: BenchRequest, world: World): Promise<CommandOutcome> {
  const { serve, workload, requestsFile } = request;
  const { models, clock, console, files, signal, loopWatch } = world;
  const ready = await readWorkloadFiles(workload, files);
  if (requestsFile !== null) await files.write(requestsFile, "");
  const points = await runWorkload({
    ...ready,
    baseUrl: serve.baseUrl,
    model: serve.servedModelName,
    apiKey: serve.apiKey,
    models,
    clock,
    signal,
    onProgress: (line) => console.progress(line),
    ...(loopWatch === null ? {} : { loopWatch }),
    async onPoint(point, traces) {
      if (requestsFile !== null) await files.append(requestsFile, traces.map(savedRequestLine).join(""));
      if (request.result !== null) {
        const path = resultPath(request, point, clock.isoNow());
        const result = vllmResult(workload, point, traces, {
          model: serve.servedModelName,
          baseUrl: serve.baseUrl,
          maxConcurrency: workload.requestRate === null ? point.concurrency : null,
          label: null,
        });
        await files.write(path, `${JSON.stringify(result)}\n`);
        console.info(`Wrote ${path}`);
      }
    },
  });
  requireTokens(points, serve.baseUrl);
  return { exitCode: 0, text: loadPointTable(points), json: { points } };
}

/** Several load points of one command must not share a file name. */
function resultPath(request: BenchRequest, point: LoadPoint, isoNow: string): string {
  const { workload, result } = request;
  const name = result?.filename ?? benchResultName(request, isoNow);
  const isOnly = workload.concurrency.length === 1 && workload.repeats === 1;
  const suffix = isOnly ? "" : `-c${point.concurrency}-r${point.repeat}`;
  return `${result?.dir ?? "."}/${name.replace(/(\.json)?$/, `${suffix}.json`)}`;
}

function requireTokens(points: readonly LoadPoint[], baseUrl: string): void {
  if (points.some((point) => (point.outcomes.ok ?? 0) > 0)) return;
  const outcomes = points.map((point) => JSON.stringify(point.outcomes)).join(", ");
  throw new AppError("BENCH_NO_TOKENS", {
    message: `Cannot measure ${baseUrl}: no request was answered in full (${outcomes})`,
    hint: "Look at the server's log, or send one request by hand with curl",
  });
}
