import { runWorkload } from "../bench/run-workload.ts";
import { AppError, ERROR_CODES } from "../core/app-error.ts";
import { type BenchRequest, benchResultName } from "../inputs/bench-flags.ts";
import { INVALIDATING_WARNING, invalidatingWarnings, type LoadPoint } from "../measure/load-point.ts";
import { savedRequestLine } from "../measure/save-requests.ts";
import { vllmResult } from "../measure/vllm-result.ts";
import { certified } from "../pipeline/certified.ts";
import { modelsFor } from "../pipeline/models-for.ts";
import { nextLevelOf } from "../pipeline/next-level-of.ts";
import { readWorkloadFiles } from "../pipeline/read-workload-files.ts";
import type { World } from "../pipeline/world.ts";
import { loadPointTable } from "../report/measure-tables.ts";
import { sweepReport } from "../report/sweep-report.ts";
import { turnTable } from "../report/turn-table.ts";
import { sweepResult } from "../study/sweep-result.ts";
import { certificateProblems } from "../trust/certificate.ts";
import type { CommandOutcome } from "./command-outcome.ts";

/**
 * Measures any OpenAI-compatible endpoint. What is asked for on disk is written as each load point ends. Exit code 5 when
 * what was measured is not to be trusted.
 */
export async function bench(request: BenchRequest, world: World): Promise<CommandOutcome> {
  const { workload, certificateSeconds: seconds } = request;
  const measure = (onReady: () => Promise<void>) => measureEndpoint(request, world, onReady);
  const work = { workloads: [workload], seconds, measure, keep: () => {} };
  const { points, certificate } = await certified(work, world);
  requireTokens(points, request.serve.baseUrl);
  const sweep = sweepResult(workload, points);
  const reasons = [
    ...points.filter((point) => !point.sweep).flatMap(invalidatingWarnings),
    ...(certificate === null
      ? []
      : certificateProblems(certificate, points).map((why) => `${INVALIDATING_WARNING}${why}`)),
  ];
  return {
    exitCode: reasons.length === 0 ? 0 : ERROR_CODES.BENCH_INVALID.exitCode,
    text: [sweep === null ? loadPointTable(points) : sweepReport(sweep), turnTable(points), ...reasons]
      .filter((part) => part !== null)
      .join("\n\n"),
    json: { points, certificate, ...(sweep === null ? {} : { sweep }) },
  };
}

async function measureEndpoint(
  request: BenchRequest,
  world: World,
  onReady: () => Promise<void>,
): Promise<readonly LoadPoint[]> {
  const { serve, workload, requestsFile } = request;
  const { clock, console, files, signal, loopWatch } = world;
  const ready = await readWorkloadFiles(workload, files);
  if (requestsFile !== null) await files.write(requestsFile, "");
  return runWorkload({
    ...ready,
    ...nextLevelOf(workload),
    baseUrl: serve.baseUrl,
    model: serve.servedModelName,
    apiKey: serve.apiKey,
    models: modelsFor(serve, world),
    clock,
    signal,
    onReady,
    onProgress: console.progress,
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
}

/** Several load points of one command must not share a file name. */
function resultPath(request: BenchRequest, point: LoadPoint, isoNow: string): string {
  const { workload, result } = request;
  const name = result?.filename ?? benchResultName(request, isoNow);
  const isOnly = workload.concurrency.length === 1 && workload.repeats === 1 && workload.sweep === undefined;
  const level = point.requestRate === null ? `c${point.concurrency}` : `${point.requestRate}rps`;
  const suffix = isOnly ? "" : `-${level}-r${point.repeat}`;
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
