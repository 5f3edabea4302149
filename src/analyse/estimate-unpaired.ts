import type { ChangeEstimate } from "./change-estimate.ts";
import type { Sample, Summary } from "./comparison.ts";
import { METRICS, type NoiseClass } from "./metric-definition.ts";
import { mean, median, pullIn, standardDeviation, sumOfSquares } from "./sample-statistics.ts";

/** Weight of the class default against measured variance, in degrees of freedom, while there is no history. */
const PRIOR_DF = 6;
/** Repeats further than this many class SDs from the median of their side are pulled in. */
const REACH = 2.5;
/** A variance this many times the class default shows that the default is wrong for this host. */
const STALE = 4;

/**
 * The change between two runs, from the repeats of each. The variance of a repeat is moderated: measured variance and
 * class default weighted by their degrees of freedom (Smyth 2004), and never below what was measured. The noise of a
 * server start is added twice, since each run is one start.
 */
export function estimateUnpaired(baseline: Sample, current: Sample): ChangeEstimate {
  const { noise } = METRICS[current.metric];
  const raw = { baseline: baseline.values.map(Math.log), current: current.values.map(Math.log) };
  const reach = REACH * noise.repeatSd;
  const tame = { baseline: pullIn(raw.baseline, reach), current: pullIn(raw.current, reach) };
  const isStale = pooledVariance(tame) > STALE * noise.repeatSd ** 2;
  const used = isStale ? raw : tame;
  const { variance, degreesOfFreedom } = isStale ? plainVariance(used) : moderatedVariance(used, noise);
  const sizes = 1 / used.baseline.length + 1 / used.current.length;
  return {
    baseline: summarize(baseline.values, used.baseline),
    current: summarize(current.values, used.current),
    meanLog: mean(used.current) - mean(used.baseline),
    medianLog: median(raw.current) - median(raw.baseline),
    standardError: Math.sqrt(variance * sizes + 2 * noise.startSd ** 2),
    degreesOfFreedom,
    notes: notesOn(raw, used, isStale),
  };
}

interface Arms {
  readonly baseline: readonly number[];
  readonly current: readonly number[];
}

/** Zero when neither side has a second repeat. */
function pooledVariance(arms: Arms): number {
  const df = pooledDf(arms);
  return df === 0 ? 0 : (sumOfSquares(arms.baseline) + sumOfSquares(arms.current)) / df;
}

function pooledDf({ baseline, current }: Arms): number {
  return baseline.length + current.length - 2;
}

function moderatedVariance(arms: Arms, noise: NoiseClass) {
  const measured = pooledVariance(arms);
  // One repeat on a side says nothing about that side, so the other side's quiet must not speak for it.
  const df = hasSingle(arms) ? 0 : pooledDf(arms);
  const moderated = (PRIOR_DF * noise.repeatSd ** 2 + df * measured) / (PRIOR_DF + df);
  return { variance: Math.max(moderated, measured), degreesOfFreedom: PRIOR_DF + df };
}

function plainVariance(arms: Arms) {
  return { variance: pooledVariance(arms), degreesOfFreedom: pooledDf(arms) };
}

function hasSingle({ baseline, current }: Arms): boolean {
  return baseline.length === 1 || current.length === 1;
}

function summarize(values: readonly number[], usedLogs: readonly number[]): Summary {
  return { n: values.length, center: Math.exp(mean(usedLogs)), sd: standardDeviation(values) };
}

function notesOn(raw: Arms, used: Arms, isStale: boolean): string[] {
  const notes: string[] = [];
  if (hasSingle(raw)) notes.push("one repeat on a side: the noise is assumed, not measured");
  if (isStale) notes.push("noisier than assumed for this metric: judged by the measured noise alone");
  const pulled = countMoved(raw.baseline, used.baseline) + countMoved(raw.current, used.current);
  if (pulled > 0) notes.push(`${pulled} outlying ${pulled === 1 ? "repeat was" : "repeats were"} pulled in`);
  return notes;
}

function countMoved(raw: readonly number[], used: readonly number[]): number {
  return raw.filter((value, index) => value !== used[index]).length;
}
