import type { MetricName } from "../config/run-config.ts";
import type { LoadPoint } from "../measure/load-point.ts";

/** One value of a load point in the unit of its metric (tok/s, ms, requests/s, ratio); null when it is not known. */
export function metricValue(point: LoadPoint, metric: MetricName): number | null {
  const { metrics } = point;
  switch (metric) {
    case "output_tok_s":
      return metrics.outputTokS;
    case "request_s":
      return metrics.requestS;
    case "tpot_p50_ms":
      return metrics.tpotMs?.p50 ?? null;
    case "ttft_p50_ms":
      return metrics.ttftMs?.p50 ?? null;
    case "e2e_p50_ms":
      return metrics.e2eMs?.p50 ?? null;
    case "success_ratio":
      return metrics.successRatio;
  }
}

/** A number that a comparison may use: zero, NaN and missing values are not measurements. */
export function isMeasured(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}
