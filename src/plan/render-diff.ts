import type { HostPlan } from "./host-plan.ts";

/** What would become of the files that a plan writes, as unified diffs under the names of their steps; "" for none. */
export function renderDiff(plan: HostPlan): string {
  return plan.steps
    .filter((step) => step.status === "would-change" && step.diff)
    .map((step) => `# ${step.name}\n${withNames(step.diff ?? "", step.after)}`)
    .join("\n\n");
}

/** The host compares a file with a stream, so that diff names one side "-". */
function withNames(diff: string, after: string | null): string {
  return diff
    .replace(/^\+\+\+ -(?:\t.*)?$/m, `+++ ${after?.split(", ")[0] ?? "as in the playbook"}`)
    .replace(/^(--- [^\t\n]+)\t.*$/m, "$1");
}
