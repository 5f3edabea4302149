import { analyse } from "../analyse/analyse.ts";
import { decide } from "../gate/decide.ts";
import type { RunConfig } from "../inputs/run-config.ts";
import { keepInHistory } from "./keep-in-history.ts";
import { type Baselines, readBaselines } from "./read-baselines.ts";
import { readWorkloadFiles } from "./read-workload-files.ts";
import { type HostRun, runHost } from "./run-host.ts";
import { failureDecision, type JudgedRun, outcomeOf, type RunOutcome } from "./run-outcome.ts";
import type { World } from "./world.ts";
import { writeHostFacts } from "./write-host-facts.ts";
import { reportedOf, writeReports } from "./write-reports.ts";

/**
 * The whole pipeline. Every host is checked, changed, served and measured, one after the other, and a host that fails
 * does not stop the others; then the records are compared with their baselines, judged, reported and kept.
 */
export async function run(config: RunConfig, world: World): Promise<RunOutcome> {
  const workloads = await Promise.all(config.workloads.map((workload) => readWorkloadFiles(workload, world.files)));
  const baselines = await readBaselines(config, world);
  const hosts: JudgedRun[] = [];
  for (const host of config.hosts) {
    const hostRun = await runHost(config, host, world, workloads);
    hosts.push(judge(hostRun, baselines, config));
    if (world.signal.aborted) break;
  }
  const outcome = outcomeOf(hosts);
  await writeReports(reportedOf(outcome), config, world);
  await writeHostFacts(
    hosts.map(({ record }) => record),
    config,
    world,
  );
  await keepInHistory(outcome, config, world);
  return outcome;
}

/** Compares one host's record with its baselines and decides what that means. */
export function judge(hostRun: HostRun, baselines: Baselines, config: Pick<RunConfig, "gate">): JudgedRun {
  const analysis = analyse(hostRun.record, baselines.records, config.gate, baselines.place);
  const decision =
    hostRun.error === null ? decide(analysis, config.gate, hostRun.record) : failureDecision(hostRun.error);
  return { ...hostRun, analysis, decision };
}
