import type { HostSpec, PlaybookRef, RunConfig } from "../config/run-config.ts";
import { exitCodeOf } from "../core/app-error.ts";
import { formatFailure } from "../core/format-failure.ts";
import { requireHosts } from "../inputs/require-hosts.ts";
import type { RunOptions } from "../inputs/run-options.ts";
import { loadPlaybook } from "../pipeline/load-playbook.ts";
import { onEveryHost } from "../pipeline/on-every-host.ts";
import type { World } from "../pipeline/world.ts";
import { writeHostFacts } from "../pipeline/write-host-facts.ts";
import type { HostPlan } from "../plan/host-plan.ts";
import { planProblem } from "../plan/plan-problem.ts";
import { renderDiff } from "../plan/render-diff.ts";
import type { Playbook } from "../playbook/playbook.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { lookAtHost } from "../provision/look-at-host.ts";
import { factsTable, planTable } from "../report/host-tables.ts";
import { paintDiff } from "../report/paint-diff.ts";
import type { CommandOutcome } from "./command-outcome.ts";

interface HostCheck {
  readonly host: string;
  readonly facts: HostFacts | null;
  readonly plan: HostPlan | null;
  /** Why the host cannot be used as it is; null when it can, or can be made to by `provision`. */
  readonly problem: unknown;
}

/** Without a playbook, the assertions that hold for every Arc host. */
const USUAL_PLAYBOOK: PlaybookRef = { name: "check-only", vars: {} };

/** Reads every host and compares it with the playbook. Changes nothing on them; a host that cannot be asked does not stop the others. */
export async function check(
  config: RunConfig,
  world: World,
  { diff = false, "hosts-at-once": atOnce }: Pick<RunOptions, "diff" | "hosts-at-once"> = {},
): Promise<CommandOutcome> {
  const playbook = await loadPlaybook(config.playbook ?? USUAL_PLAYBOOK, world);
  const checks = await onEveryHost(
    requireHosts(config, "check"),
    world,
    (host, own) => checkOne(host, playbook, own),
    atOnce,
  );
  await writeHostFacts(checks, config, world);
  const failed = checks.filter(({ problem }) => problem !== null);
  return {
    exitCode: failed.length === 0 ? 0 : Math.max(...failed.map(({ problem }) => exitCodeOf(problem))),
    text: [...checks.map((one) => hostText(one, diff, world)), verdict(checks)].join("\n\n"),
    json: checks.map(({ host, facts, plan, problem }) => ({ host, facts, plan, problem: problemJson(problem) })),
  };
}

async function checkOne(host: HostSpec, playbook: Playbook, world: World): Promise<HostCheck> {
  const { clock, signal, console } = world;
  console.progress(`Checking ${host.name}`);
  try {
    await using shell = await world.openShell(host);
    const { facts, plan } = await lookAtHost({ shell, clock, playbook, signal });
    return { host: host.name, facts, plan, problem: planProblem(plan) };
  } catch (error) {
    return { host: host.name, facts: null, plan: null, problem: error };
  }
}

function hostText({ host, facts, plan, problem }: HostCheck, diff: boolean, { color }: World): string {
  const changes = plan !== null && diff ? renderDiff(plan.steps) : "";
  const parts = [
    facts === null ? `Host ${host}` : factsTable(facts),
    ...(plan === null ? [] : [planTable(plan, { color })]),
    ...(changes === "" ? [] : [paintDiff(changes, { color })]),
    ...(problem === null ? [] : [formatFailure(problem)]),
  ];
  return parts.join("\n\n");
}

function verdict(checks: readonly HostCheck[]): string {
  return checks
    .map(({ host, plan, problem }) => {
      if (problem !== null) return `${host}: not ready`;
      const changes = plan?.steps.filter(({ status }) => status === "would-change").length ?? 0;
      return changes === 0 ? `${host}: ready` : `${host}: "arc-vllm provision" would change ${changes} steps`;
    })
    .join("\n");
}

function problemJson(problem: unknown) {
  return problem === null ? null : formatFailure(problem);
}
