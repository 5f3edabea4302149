import type { ChangeEstimate } from "./change-estimate.ts";
import type { Sample, Summary } from "./comparison.ts";
import { METRICS } from "./metric-definition.ts";
import { mean, median, pullIn, standardDeviation, sumOfSquares } from "./sample-statistics.ts";

/** What is known of the noise of pairs before these were measured. */
export interface PairNoise {
  /** Standard deviation of the log ratio of two fresh runs of the same thing. */
  readonly sd: number;
  /** Its weight against measured variance, in degrees of freedom: 12 from a history, 6 for a class default. */
  readonly df: number;
}

const REACH = 2.5;
const STALE = 4;

/**
 * The change between two arms that were measured in pairs, a fresh server for each run: value i of one sample belongs to
 * value i of the other. The noise of a server start is in every pair, so nothing has to be added for it, and a drift of
 * the host that lasts longer than a pair cancels out.
 */
export function estimatePaired(baseline: Sample, current: Sample, noise = classNoise(current)): ChangeEstimate {
  const ratios = logRatios(baseline.values, current.values);
  const tame = pullIn(ratios, REACH * noise.sd);
  const isStale = (varianceOf(tame) ?? 0) > STALE * noise.sd ** 2;
  const used = isStale ? ratios : tame;
  const measured = varianceOf(used) ?? 0;
  const { variance, degreesOfFreedom } = isStale
    ? { variance: measured, degreesOfFreedom: ratios.length - 1 }
    : moderated(measured, ratios.length - 1, noise);
  return {
    baseline: summarize(baseline.values),
    current: summarize(current.values),
    meanLog: mean(used),
    medianLog: median(ratios),
    standardError: Math.sqrt(variance / ratios.length),
    degreesOfFreedom,
    notes: notesOn(ratios, used, isStale),
  };
}

function classNoise({ metric }: Sample): PairNoise {
  const { repeatSd, startSd } = METRICS[metric].noise;
  return { sd: Math.sqrt(2 * (repeatSd ** 2 + startSd ** 2)), df: 6 };
}

function logRatios(baseline: readonly number[], current: readonly number[]): number[] {
  if (baseline.length !== current.length) throw new Error("Every run of a paired design needs its partner");
  return current.map((value, index) => Math.log(value / (baseline[index] ?? Number.NaN)));
}

function varianceOf(values: readonly number[]): number | null {
  return values.length < 2 ? null : sumOfSquares(values) / (values.length - 1);
}

function moderated(measured: number, df: number, noise: PairNoise) {
  const weighted = (noise.df * noise.sd ** 2 + df * measured) / (noise.df + df);
  return { variance: Math.max(weighted, measured), degreesOfFreedom: noise.df + df };
}

function summarize(values: readonly number[]): Summary {
  return { n: values.length, center: Math.exp(mean(values.map(Math.log))), sd: standardDeviation(values) };
}

function notesOn(ratios: readonly number[], used: readonly number[], isStale: boolean): string[] {
  const pulled = ratios.filter((ratio, index) => ratio !== used[index]).length;
  return [
    `${ratios.length} pairs`,
    ...(isStale ? ["noisier than assumed for this metric: judged by the measured noise alone"] : []),
    ...(pulled > 0 ? [`${pulled} outlying ${pulled === 1 ? "pair was" : "pairs were"} pulled in`] : []),
  ];
}
