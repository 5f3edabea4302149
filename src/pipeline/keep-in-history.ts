import type { RunConfig } from "../config/run-config.ts";
import type { RunOutcome } from "./run-outcome.ts";
import type { World } from "./world.ts";

/** Adds every finished record to the history. All are kept; only some may be a baseline later. */
export async function keepInHistory(outcome: RunOutcome, config: RunConfig, world: World): Promise<void> {
  if (config.history === null) return;
  const store = world.openStore(config.history);
  for (const { record, decision } of outcome.hosts) {
    if (record.state !== "complete") continue;
    // A regression that became the next baseline would heal itself.
    const kept = { ...record, eligible: record.eligible && decision.status !== "REGRESSION" };
    const path = await store.add(`${record.host}/${record.run.id}`, `${JSON.stringify(kept, null, 1)}\n`);
    world.console.info(`Kept this run in ${path}${kept.eligible ? "" : " (not as a baseline)"}`);
  }
}
