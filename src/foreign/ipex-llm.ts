import { foreignDistribution } from "./foreign-distribution.ts";
import type { ForeignResult } from "./foreign-result.ts";

/** Whether a text is what ipex-llm's vllm_online_benchmark.py prints. */
export function isIpexLlmText(text: string): boolean {
  return /^Total time for \d+ requests with \d+ concurrent requests:/m.test(text) && /^Token throughput:/m.test(text);
}

/**
 * Reads what ipex-llm's vllm_online_benchmark.py prints. Its "next token latency" is the mean gap between chunks, per
 * request: a time per token only where every chunk holds one, so it becomes the chunk gap here and TPOT stays unknown.
 * Null when a line is missing.
 */
export function readIpexLlmText(text: string): ForeignResult | null {
  const number = (label: string) => numberAfter(text, label);
  const total = /^Total time for (\d+) requests with (\d+) concurrent requests: ([\d.]+) seconds/m.exec(text);
  const tokenS = number("Token throughput:");
  if (total === null || tokenS === null) return null;
  const [requests = 0, concurrency = 0, seconds = 0] = total.slice(1).map(Number);
  const failed = text.match(/^Request failed:/gm)?.length ?? 0;
  const ok = Math.max(0, requests - failed);
  const latency = (name: string) =>
    foreignDistribution(
      {
        mean: number(`Average ${name} latency:`),
        p90: number(`P90 ${name} latency:`),
        p95: number(`P95 ${name} latency:`),
      },
      ok,
    );
  return {
    tool: "ipex-llm vllm_online_benchmark.py",
    toolVersion: null,
    model: /^model_name: (.+)$/m.exec(text)?.[1]?.trim() ?? null,
    shape: {
      endpoint: "/v1/completions",
      inputTokens: number("input_length:"),
      outputTokens: number("output_length:"),
    },
    levels: [
      {
        concurrency,
        requestRate: null,
        startedAt: null,
        durationMs: seconds * 1000,
        requests,
        ok,
        promptTokens: null,
        // It multiplies the length that was asked for by all requests, failed ones too.
        outputTokens: Math.round(((tokenS * seconds) / Math.max(1, requests)) * ok),
        ttftMs: latency("first token"),
        firstEventMs: null,
        tpotMs: null,
        e2eMs: null,
        chunkGapMs: latency("next token"),
        userTokS: null,
        failures: [...new Set(text.match(/^Request failed: .*$/gm) ?? [])].slice(0, 5),
      },
    ],
    notes: [
      "every request has the same prompt, which the warm-up had already sent: with a prefix cache TTFT is that of the cache",
      "its next token latency is the mean gap between chunks, whatever they hold: it is shown as chunk gap, TPOT is not known",
      "tokens are those that were asked for, not counted; failed requests are taken out again here",
      "it prints no median, so what a gate judges by medians cannot be compared",
    ],
  };
}

function numberAfter(text: string, label: string): number | null {
  const line = text.split(/\r?\n/).find((one) => one.startsWith(label));
  const value = Number(/^\s*([\d.]+)/.exec(line?.slice(label.length) ?? "")?.[1] ?? Number.NaN);
  return Number.isFinite(value) ? value : null;
}
