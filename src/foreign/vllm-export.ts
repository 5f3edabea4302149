import type { Distribution, LoadPoint } from "../measure/load-point.ts";
import { vllmDate } from "../measure/vllm-result.ts";
import type { RunRecord } from "../record/run-record.ts";

/**
 * The load points of a record in the flat JSON of `vllm bench serve --save-result`, one object each, with the name of its
 * file. What a record does not hold (standard deviations, lists of requests) is left out, what is not known is null.
 */
export function exportVllm(record: RunRecord): readonly { readonly name: string; readonly result: object }[] {
  return record.points.map((point) => ({ name: nameOf(record, point), result: resultOf(record, point) }));
}

function nameOf({ host, run }: RunRecord, { workload, concurrency, requestRate, repeat }: LoadPoint): string {
  const load = requestRate === null ? `c${concurrency}` : `${requestRate}qps`;
  return `${[host, run.id, workload, load, `r${repeat + 1}`].join("-").replace(/[^A-Za-z0-9._-]/g, "_")}.json`;
}

function resultOf(record: RunRecord, point: LoadPoint): object {
  const { metrics, outcomes, requests, requestRate, concurrency } = point;
  const workload = record.workloads.find(({ name }) => name === point.workload);
  const backend = workload === undefined ? null : workload.endpoint === "/v1/completions" ? "openai" : "openai-chat";
  const ok = outcomes.ok ?? 0;
  return {
    date: vllmDate(point.startedAt),
    endpoint_type: backend,
    backend,
    label: record.host,
    model_id: record.deployment?.servedModelName ?? record.imported?.model ?? null,
    num_prompts: requests,
    ...(record.simulated && { simulated: "true" }),
    request_rate: requestRate ?? "inf",
    burstiness: workload?.burstiness ?? 1,
    max_concurrency: requestRate === null ? concurrency : (workload?.maxConcurrency ?? null),
    duration: point.durationMs / 1000,
    completed: ok,
    failed: requests - ok,
    total_input_tokens: metrics.promptTokens,
    total_output_tokens: metrics.outputTokens,
    request_throughput: metrics.requestS,
    request_goodput: metrics.goodput?.requestS ?? null,
    output_throughput: metrics.outputTokS,
    total_token_throughput: metrics.totalTokS,
    ...statistics("ttft", metrics.ttftMs),
    ...statistics("tpot", metrics.tpotMs),
    ...statistics("itl", metrics.chunkGapMs),
    ...statistics("e2el", metrics.e2eMs),
  };
}

function statistics(name: string, of: Distribution | null): Record<string, number | null> {
  return {
    [`mean_${name}_ms`]: of?.mean ?? null,
    [`median_${name}_ms`]: of?.p50 ?? null,
    [`p90_${name}_ms`]: of?.p90 ?? null,
    [`p95_${name}_ms`]: of?.p95 ?? null,
    [`p99_${name}_ms`]: of?.p99 ?? null,
  };
}
