import { z } from "zod";
import { choice, flag, line, number } from "./field-kinds.ts";
import type { GateRule, MetricName } from "./run-config.ts";

/** What each metric is judged by unless the configuration says otherwise; the first three are judged by default. */
export const DEFAULT_RULES: Readonly<Record<MetricName, GateRule>> = {
  output_tok_s: { metric: "output_tok_s", deltaPct: 3, budgetPct: 5, floor: null },
  tpot_p50_ms: { metric: "tpot_p50_ms", deltaPct: 3, budgetPct: 5, floor: 1 },
  // A first token is mostly queueing and prefill: noisier than decode.
  ttft_p50_ms: { metric: "ttft_p50_ms", deltaPct: 10, budgetPct: 15, floor: 30 },
  e2e_p50_ms: { metric: "e2e_p50_ms", deltaPct: 5, budgetPct: 8, floor: null },
  request_s: { metric: "request_s", deltaPct: 3, budgetPct: 5, floor: null },
  success_ratio: { metric: "success_ratio", deltaPct: 1, budgetPct: 2, floor: null },
};

export const GATED_BY_DEFAULT: readonly MetricName[] = ["output_tok_s", "tpot_p50_ms", "ttft_p50_ms"];

const METRIC_TEXT: Readonly<Record<MetricName, string>> = {
  output_tok_s: "Output tokens per second of a load point",
  tpot_p50_ms: "Median time per output token after the first",
  ttft_p50_ms: "Median time to the first token",
  e2e_p50_ms: "Median time of a whole request",
  request_s: "Requests per second of a load point",
  success_ratio: "Share of requests that ended well",
};

const ruleSchema = z.strictObject({
  "delta-pct": number(0, 100, {
    description: "A change for the worse smaller than this many percent is never a failure.",
    example: 3,
  }).optional(),
  "budget-pct": number(0, 100, {
    description: "A pass needs the confidence bound to exclude a change for the worse of this many percent.",
    example: 5,
  }).optional(),
  floor: number(0, 1_000_000, {
    description: "A change smaller than this in the unit of the metric is never a failure.",
    example: 1,
  }).optional(),
});

const metricsSchema = z
  .strictObject(
    Object.fromEntries(
      Object.values(DEFAULT_RULES).map(({ metric, deltaPct, budgetPct, floor }) => [
        metric,
        ruleSchema
          .optional()
          .describe(
            `${METRIC_TEXT[metric]}. Defaults: delta-pct ${deltaPct}, budget-pct ${budgetPct}${floor === null ? "" : `, floor ${floor}`}.`,
          ),
      ]),
    ) as Record<MetricName, z.ZodOptional<typeof ruleSchema>>,
  )
  .optional()
  .describe(
    "Metrics to judge, with their rules. Replaces the default set (output_tok_s, tpot_p50_ms, ttft_p50_ms); `{}` after a metric takes its default rule.",
  );

export const gateSchema = z
  .strictObject({
    mode: choice(["gate", "warn"], {
      description: "`gate` fails the run on a regression; `warn` only says so.",
    }).default("gate"),
    baseline: line("a path", {
      description: "Record file, or folder of records, to compare with. Without it: `history`.",
      example: "baseline/record.json",
    }).optional(),
    "on-inconclusive": choice(["pass", "warn", "fail"], {
      description: "What a comparison too noisy to decide does.",
    }).default("warn"),
    "require-comparison": flag({ description: "Fail when there is nothing to compare with." }).default(false),
    "allow-imported": flag({
      description:
        "Let records that `history import` made of other tools' results be baselines. What they do not say is not compared.",
    }).default(false),
    metrics: metricsSchema,
    "min-success-ratio": number(0, 1, {
      description: "A run with a lower share of complete requests is invalid.",
    }).default(1),
  })
  .describe("When a run fails.");

export type GateEntry = z.output<typeof gateSchema>;
