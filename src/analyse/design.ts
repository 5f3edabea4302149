import type { ChangeEstimate } from "./change-estimate.ts";
import type { Sample } from "./comparison.ts";
import { estimatePaired } from "./estimate-paired.ts";
import { estimateUnpaired } from "./estimate-unpaired.ts";

/** How an experiment was made, as far as its evaluation has to know. */
export interface Design {
  readonly estimate: (baseline: Sample, current: Sample) => ChangeEstimate;
  /** How often the data may be looked at before the last look; every look gets its share of the error rates. */
  readonly looks: number;
}

/** The repeats of two runs, looked at once. */
export const UNPAIRED: Design = { estimate: estimateUnpaired, looks: 1 };

/** Numbers of pairs after which a paired experiment is looked at. */
export const PAIR_LOOKS: readonly number[] = [3, 4, 5, 6, 8];

/** Fresh runs in pairs, looked at up to five times. */
export const PAIRED: Design = {
  estimate: (baseline, current) => estimatePaired(baseline, current),
  looks: PAIR_LOOKS.length,
};
