import type { Playbook, PlaybookStep } from "../playbook/playbook.ts";
import type { SectionOutput } from "../probe/fact-reader.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { type CheckRow, checkRows } from "./check-rows.ts";
import type { HostPlan, PlannedStep } from "./host-plan.ts";
import { judgeRow, planned } from "./judge-row.ts";

/** Kind of the row that says whether the playbook is for this host at all. */
export const HOSTS_KIND = "hosts";

/**
 * What the playbook wants of the host: one row per step (per card for steps about GPUs), from the facts and from what
 * the checks printed. On a host that the playbook is not for, only what is judged from the facts is judged.
 */
export function planHost(playbook: Playbook, facts: HostFacts, outputs: ReadonlyMap<string, SectionOutput>): HostPlan {
  const support = hostSupport(playbook, facts);
  const rows: { row: CheckRow; planned: PlannedStep }[] = [];
  for (const row of checkRows(playbook, facts)) {
    const own = judgeRow(row, facts, outputs.get(row.id));
    rows.push({ row, planned: blockedBy(row, support, rows) ?? own });
  }
  const late = rows.map((entry) => ({ ...entry, planned: requestedReboot(entry, rows) }));
  const steps = late.map((entry) => entry.planned);
  return {
    host: facts.host,
    playbook: playbook.name,
    steps: support === null ? steps : [support, ...steps],
    needsReboot: late.some(({ row, planned: { status } }) => status === "would-change" && reboots(row.step, facts)),
  };
}

/** Null when the playbook names no host requirement. */
export function hostSupport(playbook: Playbook, facts: HostFacts): PlannedStep | null {
  const { os, releases, arch } = playbook.hosts;
  if (os === null && releases === null && arch === null) return null;
  const wanted = [os, releases?.join(" or "), arch].filter(Boolean).join(" ");
  const found = [facts.os?.id ?? "unknown system", facts.os?.versionId, facts.arch].filter(Boolean).join(" ");
  const fits =
    (os === null || facts.os?.id === os) &&
    (releases === null || releases.includes(facts.os?.versionId ?? "")) &&
    (arch === null || facts.arch === arch);
  return {
    name: `Host is ${wanted}`,
    kind: HOSTS_KIND,
    status: fits ? "ok" : "failed",
    before: found,
    after: fits ? null : wanted,
    evidence: facts.evidence["os-release"] ?? null,
    remedy: fits ? null : `Choose a playbook for ${found}, or install ${wanted} on the host`,
    diff: null,
  };
}

function blockedBy(
  row: CheckRow,
  support: PlannedStep | null,
  before: readonly { row: CheckRow; planned: PlannedStep }[],
): PlannedStep | null {
  const { step } = row;
  if (step.isLeftOut) return null;
  // Bash of a playbook is written for its hosts; requirements that are judged from facts hold anywhere.
  const anywhere = step.work.type === "assert" && "requirement" in step.work.by;
  if (support?.status === "failed" && !anywhere) {
    return planned(row, "blocked", { before: "the playbook is not for this host", remedy: support.remedy });
  }
  const needed = before.filter((entry) => step.needs.includes(entry.row.step.name));
  const broken = needed.find(({ planned: { status } }) => status === "failed" || status === "blocked");
  if (broken !== undefined) {
    return planned(row, "blocked", { before: `needs "${broken.row.step.name}"`, remedy: broken.planned.remedy });
  }
  const later = needed.find(({ planned: { status } }) => status === "would-change");
  if (step.work.type === "assert" && later !== undefined) {
    return planned(row, "skipped", { before: `judged after "${later.row.step.name}"` });
  }
  return null;
}

/** A reboot step also acts when a step before it will change something and asks for a reboot then. */
function requestedReboot(
  { row, planned: own }: { row: CheckRow; planned: PlannedStep },
  rows: readonly { row: CheckRow; planned: PlannedStep }[],
): PlannedStep {
  if (row.step.work.type !== "reboot" || own.status !== "ok") return own;
  const earlier = rows.slice(
    0,
    rows.findIndex((entry) => entry.row === row),
  );
  const asking = earlier.find(
    ({ row: { step }, planned: { status } }) => step.rebootIfChanged && status === "would-change",
  );
  return asking === undefined
    ? own
    : {
        ...own,
        status: "would-change",
        before: `"${asking.row.step.name}" will change`,
        after: "rebooted",
        diff: "+rebooted",
      };
}

function reboots(step: PlaybookStep, facts: HostFacts): boolean {
  if (step.work.type === "reboot") return true;
  return step.kind === "kernel" && step.work.type === "scripts" && step.work.env["RELEASE"] !== facts.kernel.running;
}
