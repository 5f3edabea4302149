import { type CheckRow, checkRows } from "../plan/check-rows.ts";
import type { HostPlan, PlannedStep } from "../plan/host-plan.ts";
import { HOSTS_KIND } from "../plan/plan-host.ts";
import type { RebootWork, ScriptWork } from "../playbook/playbook.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { probeHost } from "../probe/probe-host.ts";
import { applyStep, finishAfterReboot, stepFailure } from "./apply-step.ts";
import { checkHost } from "./check-host.ts";
import type { StepOutcome, StepStatus } from "./provision-record.ts";
import { NO_EXPECTATION, rebootHost } from "./reboot-host.ts";
import type { StepContext } from "./step-context.ts";

export interface StepsRun {
  readonly outcomes: readonly StepOutcome[];
  readonly reboots: number;
  /** The first thing that went wrong; null when every step is as it must be. */
  readonly error: unknown;
  /** The last check, when nothing was changed after it: a second pass would find the same. */
  readonly lastPlan: HostPlan | null;
}

/** How long a host may take to come back from a reboot that a step asked for. */
const REBOOT_TIMEOUT_MS = 900_000;

/** What is known of the host while steps run; replaced whole by `refresh`. */
interface Progress {
  facts: HostFacts;
  plan: HostPlan;
  readonly outcomes: StepOutcome[];
  reboots: number;
  /** Something changed since `facts` and `plan` were read. */
  stale: boolean;
  rebootAsked: boolean;
  error: unknown;
}

/**
 * Goes through the playbook in order. A failed step blocks those that need it, and every reboot; the others go on. An
 * error that is not about a step (connection, cancel, reboot) ends the run. Never throws: what went wrong is in `error`.
 */
export async function runSteps(context: StepContext, facts: HostFacts, plan: HostPlan): Promise<StepsRun> {
  const progress: Progress = {
    facts,
    plan,
    outcomes: [],
    reboots: 0,
    stale: false,
    rebootAsked: false,
    error: null,
  };
  const support = plan.steps.find(({ kind }) => kind === HOSTS_KIND);
  if (support !== undefined) progress.outcomes.push(outcome(support, "ok", 0));
  const rows = checkRows(context.playbook, facts);
  for (const [index, row] of rows.entries()) {
    const startedMs = context.clock.nowMs();
    try {
      const done = await runRow(context, progress, row);
      progress.outcomes.push({ ...done, durationMs: context.clock.nowMs() - startedMs });
      report(context, progress.outcomes.at(-1) as StepOutcome);
    } catch (error) {
      progress.error = error;
      const seconds = context.clock.nowMs() - startedMs;
      const message = error instanceof Error ? error.message : String(error);
      progress.outcomes.push({ ...outcome(planOf(progress, row), "failed", seconds), output: message });
      progress.outcomes.push(...rows.slice(index + 1).map((left) => notReached(progress, left)));
      break;
    }
  }
  const { outcomes, reboots, error } = progress;
  return { outcomes, reboots, error, lastPlan: progress.stale ? null : progress.plan };
}

async function runRow(context: StepContext, progress: Progress, row: CheckRow): Promise<StepOutcome> {
  const { work } = row.step;
  if (row.step.isLeftOut) return outcome(planOf(progress, row), "skipped", 0);
  // Only what judges the host as a whole needs a fresh look; a step that changes something verifies itself.
  if (progress.stale && (work.type !== "scripts" || mayHaveWorkNow(progress, row))) await refresh(context, progress);
  const blocker = blockedBy(progress, row);
  if (blocker !== null) return { ...outcome(planOf(progress, row), "blocked", 0), before: blocker };
  const plan = planOf(progress, row);
  if (work.type === "assert") return runAssert(context, progress, row, plan);
  if (work.type === "reboot") return runReboot(context, progress, plan, work);
  if (plan.status !== "would-change") return outcome(plan, plainStatus(plan), 0);
  return runScripts(context, progress, row, plan, work);
}

/** A step that it needs changed something: a new repository offers packages that nobody could ask for before. */
function mayHaveWorkNow(progress: Progress, row: CheckRow): boolean {
  const { status } = planOf(progress, row);
  const changed = progress.outcomes.filter((done) => done.status === "changed").map(({ name }) => name);
  return (status === "ok" || status === "skipped") && row.step.needs.some((need) => changed.includes(need));
}

function runAssert(context: StepContext, progress: Progress, row: CheckRow, plan: PlannedStep): StepOutcome {
  if (plan.status === "failed") {
    const applied = {
      output: `found ${plan.before ?? "nothing"}, wanted ${plan.after ?? "another state"}`,
      remedy: plan.remedy,
    };
    progress.error ??= stepFailure(context.shell.host, row.step.name, applied);
  }
  return outcome(plan, plainStatus(plan), 0);
}

async function runScripts(
  context: StepContext,
  progress: Progress,
  row: CheckRow,
  plan: PlannedStep,
  work: ScriptWork,
): Promise<StepOutcome> {
  context.console.progress(`${row.step.name} …`);
  let applied = await applyStep(context, row, work, progress.facts);
  progress.stale = true;
  if (applied.ok && applied.reboot) {
    await reboot(context, progress, REBOOT_TIMEOUT_MS, NO_EXPECTATION);
    applied = await finishAfterReboot(context, row, work, progress.facts);
    await refresh(context, progress);
  }
  if (!applied.ok) {
    progress.error ??= stepFailure(context.shell.host, row.step.name, applied);
    return { ...outcome(plan, "failed", 0), output: applied.output, remedy: applied.remedy };
  }
  if (!applied.changed) return { ...outcome(plan, "ok", 0), before: null, after: null };
  if (applied.reconnect) await across(context, 60_000, () => context.shell.reconnect());
  if (row.step.rebootIfChanged) progress.rebootAsked = true;
  return outcome(plan, "changed", 0);
}

async function runReboot(
  context: StepContext,
  progress: Progress,
  plan: PlannedStep,
  work: RebootWork,
): Promise<StepOutcome> {
  if (plan.status !== "would-change" && !progress.rebootAsked) return outcome(plan, plainStatus(plan), 0);
  await reboot(context, progress, work.timeoutMs, work.expect);
  await refresh(context, progress);
  return outcome({ ...plan, after: plan.after ?? "rebooted" }, "changed", 0);
}

async function reboot(
  context: StepContext,
  progress: Progress,
  timeoutMs: number,
  expect: RebootWork["expect"],
): Promise<void> {
  context.console.info(`Rebooting ${context.shell.host}`);
  await across(context, timeoutMs, () => rebootHost(context, timeoutMs, expect));
  progress.reboots += 1;
  progress.rebootAsked = false;
}

/** Work that drops the connection, and with it the lock. */
function across(context: StepContext, timeoutMs: number, work: () => Promise<void>): Promise<void> {
  return context.lease === null ? work() : context.lease.across(timeoutMs, work);
}

async function refresh(context: StepContext, progress: Progress): Promise<void> {
  progress.facts = await probeHost(context.shell, context.clock, context);
  context.onFacts?.(progress.facts);
  progress.plan = await checkHost({ ...context, facts: progress.facts });
  progress.stale = false;
}

/** Why a row cannot be done, in words; null when it can. */
function blockedBy(progress: Progress, row: CheckRow): string | null {
  const broken = (name: string) =>
    progress.outcomes.some((done) => done.name === name && (done.status === "failed" || done.status === "blocked"));
  const need = row.step.needs.find(broken);
  if (need !== undefined) return `needs "${need}"`;
  return row.step.work.type === "reboot" && progress.error !== null ? "a step failed: not rebooting" : null;
}

/** The whole text is in the record; a log line only has to say what it is about. */
function shorten(text: string): string {
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}

function planOf(progress: Progress, row: CheckRow): PlannedStep {
  const name = row.gpu === null ? row.step.name : `${row.step.name} (${row.gpu.bdf})`;
  const plan = progress.plan.steps.find((step) => step.name === name);
  if (plan !== undefined) return plan;
  // A card that was there at the start and is not any more.
  const gone = { before: "not on the host any more", after: null, evidence: null, remedy: null };
  return { name, kind: row.step.kind, status: "failed", ...gone };
}

function plainStatus(plan: PlannedStep): StepStatus {
  return plan.status === "would-change" ? "changed" : plan.status;
}

function outcome(plan: PlannedStep, status: StepStatus, durationMs: number): StepOutcome {
  const { name, kind, before, after, remedy } = plan;
  const diff = status === "changed" ? (plan.diff ?? null) : null;
  return { name, kind, status, before, after, diff, output: null, remedy, durationMs };
}

function notReached(progress: Progress, row: CheckRow): StepOutcome {
  return { ...outcome(planOf(progress, row), "blocked", 0), before: "not reached" };
}

function report({ console }: StepContext, done: StepOutcome): void {
  const change = done.status === "ok" ? "" : shorten([done.before, done.after].filter(Boolean).join(" -> "));
  const line = `${done.status.padEnd(8)} ${done.name}${change === "" ? "" : `: ${change}`}`;
  if (done.status === "failed") console.error(line);
  else if (done.status === "warning") console.warn(`${line}${done.remedy === null ? "" : `. ${done.remedy.trim()}`}`);
  else console.info(line);
}
