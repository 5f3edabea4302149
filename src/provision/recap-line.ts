import type { ProvisionRecord, StepStatus } from "./provision-record.ts";

/** The last line of a run in Ansible's words: `host : ok=9 changed=3 failed=0 unreachable=0 skipped=1 reboots=1`. */
export function recapLine(record: ProvisionRecord): string {
  const count = (...statuses: readonly StepStatus[]) =>
    record.steps.filter(({ status }) => statuses.includes(status)).length;
  const counts = [
    // As in Ansible, a changed step is an ok step.
    `ok=${count("ok", "changed")}`,
    `changed=${count("changed")}`,
    `failed=${count("failed")}`,
    "unreachable=0",
    `skipped=${count("skipped", "blocked")}`,
    ...(count("warning") > 0 ? [`warnings=${count("warning")}`] : []),
    `reboots=${record.reboots}`,
  ];
  return `${record.host} : ${counts.join(" ")}`;
}
