import { AppError } from "../core/app-error.ts";
import type { HostPlan } from "./host-plan.ts";
import { HOSTS_KIND } from "./plan-host.ts";

/**
 * Why a plan must not be carried out, or null: HOST_UNSUPPORTED when the playbook is for other hosts, HOST_NOT_READY
 * when an assertion fails.
 */
export function planProblem(plan: HostPlan): AppError | null {
  const failed = plan.steps.filter(({ status }) => status === "failed");
  const [first] = failed;
  if (first === undefined) return null;
  const unsupported = failed.find(({ kind }) => kind === HOSTS_KIND);
  if (unsupported !== undefined) {
    return new AppError("HOST_UNSUPPORTED", {
      message: `Cannot apply playbook "${plan.playbook}" to host "${plan.host}": it is ${unsupported.before}, ${unsupported.after} is wanted`,
      hint: unsupported.remedy ?? "Choose a playbook for this host",
    });
  }
  const lines = failed.map(({ name, before, after }) => {
    const found = before === null ? "" : `: ${before}`;
    return `\n  ${name}${found}${after === null ? "" : `, wanted ${after}`}`;
  });
  const count = failed.length === 1 ? "1 requirement is" : `${failed.length} requirements are`;
  const remedies = [...new Set(failed.map(({ remedy }) => remedy?.trim()).filter(Boolean))];
  return new AppError("HOST_NOT_READY", {
    message: `Cannot use host "${plan.host}" with playbook "${plan.playbook}": ${count} not met${lines.join("")}`,
    hint: remedies.join("; ") || "Read the evidence of the rows above",
  });
}
