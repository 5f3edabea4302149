import type { HostPlan, PlannedStep } from "../plan/host-plan.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import type { ProvisionRecord, StepOutcome, StepStatus } from "../provision/provision-record.ts";
import { factRows } from "./fact-rows.ts";
import { formatDuration } from "./format-value.ts";
import { paintStatus, type TableOptions, terminalTable } from "./terminal-table.ts";

/** What was read from a host, with the warnings about what could not be read below it. */
export function factsTable(facts: HostFacts): string {
  const table = terminalTable({ head: ["fact", facts.host], rows: factRows(facts), limits: [14, 78] });
  return [table, ...facts.warnings.map((warning) => `warning: ${warning}`)].join("\n");
}

/** What a playbook found: every step with what is, what is wanted, where that was read, and what a person can do. */
export function planTable(plan: HostPlan, options: TableOptions = {}): string {
  return terminalTable({
    head: ["status", "step", `${plan.playbook} on ${plan.host}`],
    rows: plan.steps.map((step) => [paintStatus(step.status, options), step.name, plannedDetail(step)]),
    limits: [null, 26, 52],
    isRuled: true,
  });
}

/** What a playbook did: every step that was not ok before. */
export function provisionTable(record: ProvisionRecord, options: TableOptions = {}): string {
  const told = record.steps.filter((step) => step.status !== "ok");
  return terminalTable({
    head: ["status", "step", `${record.playbook} on ${record.host}`],
    rows: told.map((step) => [paintStatus(step.status, options), step.name, outcomeDetail(step)]),
    limits: [null, 26, 52],
    isRuled: true,
  });
}

/** One line per host, as people know it from Ansible. */
export function recapTable(records: readonly ProvisionRecord[]): string {
  const statuses = STATUSES.filter((status) => ALWAYS_SHOWN.has(status) || records.some((r) => count(r, status) > 0));
  return terminalTable({
    head: ["host", ...statuses, "reboots", "converged", "time"],
    rows: records.map((record) => [
      record.host,
      ...statuses.map((status) => String(count(record, status))),
      String(record.reboots),
      record.converged === null ? "n/a" : record.converged ? "yes" : "no",
      formatDuration(record.durationMs),
    ]),
    limits: [14],
    rightAligned: [...statuses.keys(), statuses.length].map((index) => index + 1),
  });
}

const STATUSES: readonly StepStatus[] = ["ok", "changed", "warning", "failed", "blocked", "skipped"];
const ALWAYS_SHOWN: ReadonlySet<StepStatus> = new Set(["ok", "changed", "failed"]);

function count(record: ProvisionRecord, status: StepStatus): number {
  return record.steps.filter((step) => step.status === status).length;
}

function plannedDetail(step: PlannedStep): string {
  return detail([
    ["is", step.before],
    ["wanted", step.status === "ok" ? null : step.after],
    ["seen", step.status === "ok" ? null : step.evidence],
    ["to do", step.remedy],
  ]);
}

function outcomeDetail(step: StepOutcome): string {
  return detail([
    ["was", step.before],
    [step.status === "changed" ? "now" : "wanted", step.after],
    ["said", step.output],
    ["to do", step.remedy],
  ]);
}

function detail(parts: readonly [name: string, value: string | null][]): string {
  return parts.flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`])).join("\n");
}
