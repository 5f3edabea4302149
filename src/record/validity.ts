import type { GateSpec, Workload } from "../config/run-config.ts";
import { INVALIDATING_WARNING, type LoadPoint } from "../measure/load-point.ts";
import { certificateProblems } from "../trust/certificate.ts";
import { levelLabel } from "./level-label.ts";
import { isMeasured, metricValue } from "./metric-value.ts";
import type { RunRecord, Validity } from "./run-record.ts";

/** With ignore-eos every request must produce exactly what was asked; a client that reads otherwise miscounts. */
const TOKEN_TOLERANCE = 0.01;

/**
 * Whether the load points can be trusted at all, before any statistics; every reason in words.
 * A dead server must never look infinitely fast, so zero, NaN and missing values of judged metrics are reasons.
 */
export function validityOf(
  measured: Pick<RunRecord, "points" | "workloads" | "certificate">,
  gate: Pick<GateSpec, "rules" | "minSuccessRatio">,
): Validity {
  const { points, workloads, certificate = null } = measured;
  if (points.length === 0) return { ok: false, reasons: ["No load point was measured"] };
  const reasons = [
    // A sweep goes on until a level fails, and says itself what that means.
    ...points
      .filter((point) => !point.sweep)
      .flatMap((point) => [
        ...tooFewAnswers(point, gate.minSuccessRatio),
        ...missingMetrics(point, gate),
        ...wrongTokenCount(point, workloads),
        ...point.warnings
          .filter((warning) => warning.startsWith(INVALIDATING_WARNING))
          .map((w) => `${at(point)}: ${w}`),
      ]),
    ...missingPoints(points, workloads),
    ...(certificate === null ? [] : certificateProblems(certificate, points)),
  ];
  return { ok: reasons.length === 0, reasons };
}

function tooFewAnswers(point: LoadPoint, minimum: number): string[] {
  const ratio = point.metrics.successRatio;
  if (ratio >= minimum) return [];
  const failed = Object.entries(point.outcomes).filter(([outcome, count]) => outcome !== "ok" && count > 0);
  const how = failed.map(([outcome, count]) => `${count} ${outcome}`).join(", ") || "no outcome recorded";
  return [
    `${at(point)}: ${percent(ratio)} of ${point.requests} requests succeeded (${how}), ${percent(minimum)} wanted`,
  ];
}

function missingMetrics(point: LoadPoint, gate: Pick<GateSpec, "rules">): string[] {
  return gate.rules
    .filter((rule) => rule.metric !== "success_ratio")
    .map((rule) => ({ metric: rule.metric, value: metricValue(point, rule.metric) }))
    .filter(({ value }) => !isMeasured(value))
    .map(({ metric, value }) => `${at(point)}: ${metric} is ${value ?? "missing"}, a positive number is wanted`);
}

function wrongTokenCount(point: LoadPoint, workloads: readonly Workload[]): string[] {
  const workload = workloads.find(({ name }) => name === point.workload);
  // Answers to a file's prompts, or within a spread, have lengths of their own; the client has checked each of them.
  if (
    workload === undefined ||
    !workload.ignoreEos ||
    workload.inputTokens === null ||
    workload.lengthSpread !== undefined
  )
    return [];
  const ok = point.outcomes.ok ?? 0;
  const wanted = ok * workload.outputTokens;
  const got = point.metrics.outputTokens;
  if (wanted === 0 || got === null || Math.abs(got - wanted) <= TOKEN_TOLERANCE * wanted) return [];
  return [`${at(point)}: ${got} output tokens from ${ok} requests, ${wanted} wanted with ignore-eos`];
}

/** Every level of every repeat has to be there, or a slow level could hide by not being measured. */
function missingPoints(points: readonly LoadPoint[], workloads: readonly Workload[]): string[] {
  return workloads.flatMap((workload) => {
    const levels = workload.requestRate === null ? workload.concurrency.length : 1;
    // How many levels a sweep tries shows only when it has ended.
    const wanted = workload.sweep === undefined ? levels * workload.repeats : 1;
    const got = points.filter((point) => point.workload === workload.name).length;
    return got >= wanted ? [] : [`${workload.name}: ${got} of ${wanted} load points were measured`];
  });
}

function at(point: LoadPoint): string {
  return `${levelLabel(point)} repeat ${point.repeat + 1}`;
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toFixed(2))} %`;
}
