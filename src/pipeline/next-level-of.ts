import type { NextLevel } from "../bench/levels.ts";
import type { Workload } from "../config/run-config.ts";
import { sweepState } from "../study/sweep.ts";

/** What decides on the levels of a workload: its sweep, or nothing when they are given. */
export function nextLevelOf(workload: Workload): { readonly nextLevel?: NextLevel } {
  const { sweep } = workload;
  return sweep === undefined ? {} : { nextLevel: (points) => sweepState({ ...workload, sweep }, points).next };
}
