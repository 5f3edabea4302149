import type { RunConfig } from "../inputs/run-config.ts";
import type { JudgedRun, RunOutcome } from "./run-outcome.ts";
import type { World } from "./world.ts";

/** Adds every finished record to the history. All are kept; only some may be a baseline later. */
export async function keepInHistory(outcome: RunOutcome, config: RunConfig, world: World): Promise<void> {
  if (config.history === null) return;
  const store = world.openStore(config.history);
  for (const judged of outcome.hosts) {
    if (judged.record.state !== "complete") continue;
    const { record } = judged;
    const kept = { ...record, eligible: record.eligible && mayBecomeBaseline(judged) };
    const path = await store.add(`${record.host}/${record.run.id}`, `${JSON.stringify(kept, null, 1)}\n`);
    world.console.info(`Kept this run in ${path}${kept.eligible ? "" : " (not as a baseline)"}`);
  }
}

/**
 * A regression that became the next baseline would heal itself, and a pull request is not what others are compared with
 * (both seen in public gates: benchmark-action/github-action-benchmark writes before it judges).
 */
function mayBecomeBaseline({ decision, record }: JudgedRun): boolean {
  return decision.status !== "REGRESSION" && record.run.trigger !== "pull_request";
}
