import type { GateRule } from "../config/run-config.ts";
import { metricValue } from "../record/metric-value.ts";
import type { RunRecord } from "../record/run-record.ts";
import { unknownFields } from "../record/select-baseline.ts";

/**
 * The rules that can be applied although another tool's file leaves a metric out. What we measured ourselves is never
 * excused: there a missing value is a failed measurement.
 */
export function knownRules(
  rules: readonly GateRule[],
  records: readonly RunRecord[],
): { readonly rules: readonly GateRule[]; readonly warnings: readonly string[] } {
  const silent = (rule: GateRule) =>
    records.find(
      ({ imported, points }) =>
        imported !== undefined && points.every((point) => metricValue(point, rule.metric) === null),
    );
  return {
    rules: rules.filter((rule) => silent(rule) === undefined),
    warnings: rules.flatMap((rule) => {
      const tool = silent(rule)?.imported?.tool;
      return tool === undefined ? [] : [`${rule.metric} was not compared: the files of ${tool} do not say it`];
    }),
  };
}

/** What a reader must know about a comparison with an imported record. */
export function importWarnings(baseline: RunRecord | undefined, current: RunRecord): string[] {
  if (baseline === undefined || (baseline.imported === undefined && current.imported === undefined)) return [];
  const fields = unknownFields(baseline, current);
  const unsaid = fields.length === 0 ? "" : `; not known of both, so not compared: ${fields.join(", ")}`;
  return [
    ...[baseline, current].flatMap(({ run, imported }) =>
      imported === undefined ? [] : [`Record ${run.id} was imported from ${imported.tool}${unsaid}`],
    ),
    ...(baseline.imported === undefined ? [] : baseline.warnings),
  ];
}
