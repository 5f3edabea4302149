import type { Playbook } from "../playbook/playbook.ts";
import { describeHosts } from "../playbook/render-playbook.ts";
import { terminalTable } from "./terminal-table.ts";

/** The steps of a playbook under its name, in the order in which they are applied. */
export function playbookTable(name: string, playbook: Playbook): string {
  const table = terminalTable({
    head: ["#", "step", "kind", "tags", "needs"],
    rows: playbook.steps.map((step, index) => [
      String(index + 1),
      step.name,
      step.kind,
      step.tags.join(", "),
      step.needs.join(", "),
    ]),
    limits: [null, 38, null, 12, 24],
    rightAligned: [0],
  });
  return `${name}: ${playbook.name} (hosts: ${describeHosts(playbook)})\n${table}`;
}
