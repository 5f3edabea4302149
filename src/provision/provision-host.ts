import { randomBytes } from "node:crypto";
import { AppError } from "../core/app-error.ts";
import type { HostPlan } from "../plan/host-plan.ts";
import { planProblem } from "../plan/plan-problem.ts";
import type { Playbook } from "../playbook/playbook.ts";
import type { Clock } from "../ports/clock.ts";
import type { Console } from "../ports/console.ts";
import type { Shell } from "../ports/shell.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { probeHost } from "../probe/probe-host.ts";
import { awaitUnfinished } from "./await-unfinished.ts";
import { checkHost } from "./check-host.ts";
import { type HostLease, takeLease } from "./host-lease.ts";
import { lookAtHost } from "./look-at-host.ts";
import type { ProvisionRecord } from "./provision-record.ts";
import { recapLine } from "./recap-line.ts";
import { runSteps } from "./run-steps.ts";
import type { StepContext } from "./step-context.ts";

export interface ProvisionContext {
  readonly shell: Shell;
  readonly clock: Clock;
  readonly console: Console;
  readonly playbook: Playbook;
  /** Read now when they are not given. */
  readonly facts?: HostFacts;
  readonly signal?: AbortSignal;
  /** Names the folder on the host that `undo` reads. */
  readonly runId?: string;
  /** Folder that stands for / on the host; empty on every real host. */
  readonly root?: string;
  /** Boot id of the machine this runs on: it must not reboot itself. */
  readonly ownBootId?: string | null;
  /** The host is held already (for a whole run); without it, it is held while something is changed. */
  readonly lease?: HostLease;
  /** Who we are, for others who find the host busy; the run id unless given. */
  readonly owner?: string;
  /** How long to wait for another run on the host; 0 unless given. */
  readonly lockWaitMs?: number;
  /** Gets the record of what was done also when the run then fails. */
  readonly onRecord?: (record: ProvisionRecord) => Promise<void>;
  /** Gets the facts whenever they were read; the last ones are those of the host as it is left. */
  readonly onFacts?: (facts: HostFacts) => void;
}

/**
 * Brings a host to the state of a playbook: checks everything, applies only what differs, verifies each step, and checks
 * everything again. Throws HOST_UNSUPPORTED, HOST_NOT_READY, HOST_NO_SUDO or HOST_BUSY before anything is touched; STEP_FAILED,
 * HOST_REBOOT_FAILED, HOST_NOT_CONVERGED, HOST_CONNECTION_LOST or CANCELLED later.
 */
export async function provisionHost(context: ProvisionContext): Promise<ProvisionRecord> {
  const { shell, clock, playbook } = context;
  const startedMs = clock.nowMs();
  const steps: StepContext = { ...context, runId: context.runId ?? newRunId(clock), lease: context.lease ?? null };
  const known = context.facts;
  const { facts, plan } =
    known === undefined ? await lookAtHost(steps) : { facts: known, plan: await checkHost({ ...steps, facts: known }) };
  context.onFacts?.(facts);
  refuse(plan, playbook, facts);
  if (plan.needsReboot && facts.bootId !== null && facts.bootId === context.ownBootId)
    throw wouldRebootItself(shell.host);

  const { run, second } = await holdAndRun(context, steps, facts, plan);
  const changed = run.outcomes.some(({ status }) => status === "changed");
  const record: ProvisionRecord = {
    host: shell.host,
    runId: changed && playbook.become ? steps.runId : null,
    playbook: playbook.name,
    steps: run.outcomes,
    reboots: run.reboots,
    converged: run.error !== null ? null : second === null || second.length === 0,
    durationMs: clock.nowMs() - startedMs,
  };
  context.console.info(recapLine(record));
  await context.onRecord?.(record);
  if (run.error !== null) throw run.error;
  if (second !== null && second.length > 0) throw notConverged(record, second);
  return record;
}

/** Holds the host only when there is something to change, and looks again when another run had it meanwhile. */
async function holdAndRun(context: ProvisionContext, steps: StepContext, facts: HostFacts, plan: HostPlan) {
  const changes = plan.steps.some(({ status }) => status === "would-change");
  if (steps.lease !== null || !changes || !steps.playbook.become) return runTwice(steps, facts, plan);
  const { clock } = context;
  const askedMs = clock.nowMs();
  const owner = context.owner ?? `run ${steps.runId}`;
  await using lease = await takeLease({ ...steps, owner, waitMs: context.lockWaitMs ?? 0, sudo: true });
  const held = { ...steps, lease };
  const othersWorked = (await awaitUnfinished(held)) || clock.nowMs() - askedMs >= WAITED_MS;
  if (!othersWorked) return await runTwice(held, facts, plan);
  const factsNow = await probeHost(steps.shell, clock, context);
  context.onFacts?.(factsNow);
  return await runTwice(held, factsNow, await checkHost({ ...held, facts: factsNow }));
}

/** Taking a free host takes a round trip; longer means that somebody else had it. */
const WAITED_MS = 5_000;

async function runTwice(steps: StepContext, facts: HostFacts, plan: HostPlan) {
  const run = await runSteps(steps, facts, plan);
  const changed = run.outcomes.some(({ status }) => status === "changed");
  return { run, second: run.error === null && changed ? await secondPass(steps, run.lastPlan) : null };
}

/** Nothing has been touched yet: the last moment to say no. */
function refuse(plan: HostPlan, playbook: Playbook, facts: HostFacts): void {
  const problem = planProblem(plan);
  if (problem !== null) throw problem;
  const changes = plan.steps.filter(({ status }) => status === "would-change");
  if (changes.length === 0 || !playbook.become || facts.login.canSudo !== false) return;
  throw new AppError("HOST_NO_SUDO", {
    message: `Cannot apply playbook "${playbook.name}" to host "${plan.host}": user "${facts.login.user}" may not use sudo without a password, and ${changes.length} steps need root`,
    hint: `On the host, as root: echo '${facts.login.user} ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/90-arc-vllm`,
  });
}

/** Steps that still want changes right after they were applied: they would change the host at every run. */
async function secondPass(context: StepContext, lastPlan: HostPlan | null): Promise<readonly string[]> {
  const look = async () => {
    const facts = await probeHost(context.shell, context.clock, context);
    context.onFacts?.(facts);
    return await checkHost({ ...context, facts });
  };
  const plan = lastPlan ?? (await look());
  return plan.steps
    .filter(({ status }) => status === "would-change" || status === "failed")
    .map(
      ({ name, before, after }) => `${name}: ${[before, after].filter(Boolean).join(" -> ") || "not as it must be"}`,
    );
}

function wouldRebootItself(host: string): AppError {
  return new AppError("HOST_REBOOT_FAILED", {
    message: `Cannot reboot host "${host}": it is the machine this runs on`,
    hint: "Run from another machine over SSH, or bring this one to the wanted kernel by hand first",
  });
}

function notConverged(record: ProvisionRecord, steps: readonly string[]): AppError {
  return new AppError("HOST_NOT_CONVERGED", {
    message: `Cannot finish playbook "${record.playbook}" on host "${record.host}": the second pass still wants changes\n  ${steps.join("\n  ")}`,
    hint: "Something on the host undoes these steps, or their check does not see what they do",
  });
}

function newRunId(clock: Clock): string {
  const stamp = clock.isoNow().replace(/\.\d+/, "").replace(/[-:]/g, "");
  return `${stamp}-${randomBytes(3).toString("hex")}`;
}
