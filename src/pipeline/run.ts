import { analyse } from "../analyse/analyse.ts";
import type { HostSpec, RunConfig } from "../config/run-config.ts";
import { decide } from "../gate/decide.ts";
import type { RunOptions } from "../inputs/run-options.ts";
import { inTurn } from "./in-turn.ts";
import { keepInHistory } from "./keep-in-history.ts";
import { loadPlaybook } from "./load-playbook.ts";
import { onEveryHost } from "./on-every-host.ts";
import { type Baselines, readBaselines } from "./read-baselines.ts";
import { readWorkloadFiles } from "./read-workload-files.ts";
import { type HostRun, runHost } from "./run-host.ts";
import { failureDecision, type JudgedRun, outcomeOf, type RunOutcome } from "./run-outcome.ts";
import type { World } from "./world.ts";
import { writeHostFacts } from "./write-host-facts.ts";
import { reportedOf, writeReports } from "./write-reports.ts";

/** A provisioning or a start is mostly waiting for the host; more of them at once make a log that nobody can follow. */
const MOST_AT_ONCE = 4;

/**
 * The whole pipeline. Every host is checked, changed, served and measured, several at once but measured one after the
 * other, and a host that fails does not stop the others; then the records are compared with their baselines, judged,
 * reported and kept.
 */
export async function run(
  config: RunConfig,
  world: World,
  { "hosts-at-once": atOnce = MOST_AT_ONCE }: Pick<RunOptions, "hosts-at-once"> = {},
): Promise<RunOutcome> {
  const workloads = await Promise.all(config.workloads.map((workload) => readWorkloadFiles(workload, world.files)));
  // A mistake in the playbook is one for all hosts: it is said before any of them is touched.
  if (config.playbook !== null) await loadPlaybook(config.playbook, world);
  const baselines = await readBaselines(config, world);
  const takeTurn = inTurn();
  const runOne = async (host: HostSpec, own: World): Promise<JudgedRun | null> => {
    if (world.signal.aborted) return null;
    const measureInTurn: World["measureInTurn"] = (work) => {
      if (config.hosts.length > 1) own.console.progress("Waiting until no other host is measured");
      return takeTurn(work);
    };
    return judge(await runHost(config, host, { ...own, measureInTurn }, workloads), baselines, config);
  };
  const hosts = (await onEveryHost(config.hosts, world, runOne, atOnce)).filter((judged) => judged !== null);
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
