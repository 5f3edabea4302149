import { describe, expect, it } from "vitest";
import { parsePrometheusText } from "../../src/measure/prometheus-text.ts";
import { countersOf } from "../../src/measure/server-counters.ts";

const V32 = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="tiny"} 2.0
vllm:num_requests_running{engine="1",model_name="tiny"} 3.0
vllm:num_requests_waiting{engine="0",model_name="tiny"} 4.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="tiny",reason="capacity"} 4.0
vllm:kv_cache_usage_perc{engine="0",model_name="tiny"} 0.25
vllm:prompt_tokens_total{engine="0",model_name="tiny"} 11019.0
vllm:prompt_tokens_created{engine="0",model_name="tiny"} 1.795e+09
vllm:generation_tokens_total{engine="0",model_name="tiny"} 5507.0
vllm:request_success_total{engine="0",finished_reason="stop",model_name="tiny"} 1.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="tiny"} 86.0
vllm:prefix_cache_queries_total{engine="0",model_name="tiny"} 100.0
vllm:prefix_cache_hits_total{engine="0",model_name="tiny"} 10.0
vllm:num_preemptions_total{engine="0",model_name="tiny"} 0.0
vllm:inter_token_latency_seconds_bucket{engine="0",le="0.01",model_name="tiny"} 5000.0
vllm:inter_token_latency_seconds_bucket{engine="0",le="+Inf",model_name="tiny"} 5420.0
vllm:inter_token_latency_seconds_sum{engine="0",model_name="tiny"} 33.5
vllm:inter_token_latency_seconds_count{engine="0",model_name="tiny"} 5420.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="tiny"} 4.5
vllm:time_to_first_token_seconds_count{engine="0",model_name="tiny"} 87.0
process_cpu_seconds_total 12.5
`;

const V08 = `vllm:gpu_cache_usage_perc{model_name="m"} 0.5
vllm:generation_tokens{model_name="m"} 7
vllm:time_per_output_token_seconds_sum{model_name="m"} 2
vllm:time_per_output_token_seconds_count{model_name="m"} 100
`;

describe("countersOf()", () => {
  it("reads what vLLM 0.32 exports, over all engines and finish reasons", () => {
    expect(countersOf(V32)).toEqual({
      promptTokens: 11019,
      generationTokens: 5507,
      successes: 87,
      ttft: { sumMs: 4500, count: 87 },
      itl: { sumMs: 33_500, count: 5420 },
      e2e: null,
      preemptions: 0,
      prefixQueries: 100,
      prefixHits: 10,
      running: 5,
      waiting: 4,
      kvCacheUsage: 0.25,
    });
  });

  it("knows the older names, with or without _total", () => {
    expect(countersOf(V08)).toMatchObject({
      kvCacheUsage: 0.5,
      generationTokens: 7,
      itl: { sumMs: 2000, count: 100 },
      successes: null,
    });
  });

  it("takes metrics of another program for none", () => {
    expect(countersOf("process_cpu_seconds_total 12.5\n")).toBeNull();
    expect(countersOf("<html>")).toBeNull();
  });
});

describe("parsePrometheusText()", () => {
  it("reads labels with escapes, infinite values, time stamps and no labels", () => {
    expect(
      parsePrometheusText(
        '# TYPE a counter\na{x="1,2",y="say \\"hi\\"\\\\\\n"} +Inf 1700000000\nb 3e-2\n\nnot a sample\n',
      ),
    ).toEqual([
      { name: "a", labels: { x: "1,2", y: 'say "hi"\\\n' }, value: Number.POSITIVE_INFINITY },
      { name: "b", labels: {}, value: 0.03 },
    ]);
  });
});
