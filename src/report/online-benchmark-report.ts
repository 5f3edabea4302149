import type { Distribution, LoadPoint, LoadPointMetrics, ServerCheck } from "../measure/load-point.ts";
import type { MeanAndTails, OnlineBenchmarkFigures } from "../measure/online-benchmark-figures.ts";
import { formatValue } from "./format-value.ts";
import { terminalTable } from "./terminal-table.ts";

export interface OnlineBenchmarkReported {
  readonly script: OnlineBenchmarkFigures;
  /** By our formulas over the same requests. */
  readonly same: LoadPointMetrics;
  readonly server: ServerCheck;
  /** The same load with a prompt of its own for every request. */
  readonly own: LoadPoint;
}

/** What the script would print beside what is right, and in words what it gets wrong. */
export function onlineBenchmarkReport(reported: OnlineBenchmarkReported): string {
  const { script, same, own } = reported;
  const table = terminalTable({
    head: ["", "vllm_online_benchmark.py", "right, same requests", "right, a prompt each"],
    rows: [
      ["output tok/s", ...values(script.tokenThroughput, same.outputTokS, own.metrics.outputTokS)],
      ...latencyRows("first token ms", script.firstTokenMs, same.ttftMs, own.metrics.ttftMs),
      ...latencyRows("next token ms", script.nextTokenMs, same.tpotMs, own.metrics.tpotMs),
      ["answer mean s", ...values(script.meanResponseS, inSeconds(same.e2eMs), inSeconds(own.metrics.e2eMs))],
    ],
    rightAligned: [1, 2, 3],
  });
  const wrong = whatIsWrong(reported).map((line) => `  - ${line}`);
  return [table, "", "What the script gets wrong:", ...wrong, "", TAILS].join("\n");
}

const TAILS = "n/a: too few requests for such a tail (p90 needs 64, p95 130), or not known.";

function latencyRows(
  name: string,
  script: MeanAndTails | null,
  same: Distribution | null,
  own: Distribution | null,
): string[][] {
  return (["mean", "p90", "p95"] as const).map((statistic) => [
    `${name} ${statistic}`,
    ...values(script?.[statistic], same?.[statistic], own?.[statistic]),
  ]);
}

function values(...all: readonly (number | null | undefined)[]): string[] {
  return all.map((value) => formatValue(value ?? null));
}

function inSeconds(ms: Distribution | null): number | null {
  return ms === null ? null : ms.mean / 1000;
}

function whatIsWrong({ script, same, server, own }: OnlineBenchmarkReported): string[] {
  const perChunk = same.tokensPerChunk;
  return [
    "next token latency is the mean gap between chunks, not the time per token" +
      (perChunk === null ? "" : `: a chunk holds ${perChunk.toFixed(2)} tokens here`),
    `throughput counts every request as a whole answer: ${Math.round((1 - same.successRatio) * script.requests)} of ${script.requests} failed here`,
    `all requests and the warm-up share one prompt, so a prefix cache makes the first token early: ${cacheWords(server)}, mean first token ${meanWords(same.ttftMs)} against ${meanWords(own.metrics.ttftMs)} with a prompt each`,
    "tails are printed however few requests there are",
  ];
}

function cacheWords({ prefixHitRatio }: ServerCheck): string {
  return prefixHitRatio === null
    ? "the server does not say how much it had cached"
    : `${(prefixHitRatio * 100).toFixed(0)} % of the prompt tokens were cached`;
}

function meanWords(of: Distribution | null): string {
  return of === null ? "n/a" : `${formatValue(of.mean)} ms`;
}
