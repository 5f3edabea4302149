import type { AssertWork } from "../playbook/playbook.ts";
import type { SectionOutput } from "../probe/fact-reader.ts";
import type { GpuFacts, HostFacts } from "../probe/host-facts.ts";
import type { Verdict } from "../requirements/requirement.ts";
import { requirement } from "../requirements/requirements.ts";
import { type CheckRow, isPerGpu } from "./check-rows.ts";
import type { CheckStatus, PlannedStep } from "./host-plan.ts";
import { readStepOutput, type StepOutput } from "./read-step-output.ts";

/** What a row is by itself, before anything about the steps it needs. */
export function judgeRow(row: CheckRow, facts: HostFacts, output: SectionOutput | undefined): PlannedStep {
  if (row.step.isLeftOut) return planned(row, "skipped", { before: "left out by tags" });
  if (isPerGpu(row.step) && row.gpu === null) {
    return planned(row, "skipped", { before: "no Intel GPU card on this host" });
  }
  const said = output === undefined ? null : readStepOutput(output.text);
  if (said?.skip != null) return planned(row, "skipped", { before: said.skip });

  const { work } = row.step;
  if (work.type === "assert" && "requirement" in work.by) {
    return fromVerdict(row, work, verdictOf(work.by, facts, row.gpu));
  }
  if (said === null || output === undefined || output.exitCode === null) {
    return planned(row, "failed", { before: "the check did not run to its end", remedy: "Run the check again" });
  }
  return fromOutput(row, said, output.exitCode === 0);
}

function fromOutput(row: CheckRow, said: StepOutput, holds: boolean): PlannedStep {
  const evidence = said.evidence ?? (said.plain.slice(-10).join("\n") || null);
  if (holds) return planned(row, "ok", { before: said.before, evidence });
  const details = { before: said.before, after: said.after, evidence };
  const { work, remedy } = row.step;
  if (work.type !== "assert") return planned(row, "would-change", { ...details, diff: said.diff });
  return planned(row, failing(work), { ...details, remedy: said.remedy ?? remedy });
}

function verdictOf(by: { requirement: string; want: string | null }, facts: HostFacts, gpu: GpuFacts | null): Verdict {
  const rule = requirement(by.requirement);
  if (rule?.scope === "host") return rule.judge(facts, by.want ?? "");
  if (rule?.scope === "gpu" && gpu !== null) return rule.judge(facts, by.want ?? "", gpu);
  // The schema admits known names only, and rows about a card have one.
  throw new Error(`requirement "${by.requirement}" cannot be judged`);
}

/** A row with the name that reports show: that of the step, and of the card when there is one row per card. */
export function planned(row: CheckRow, status: CheckStatus, details: Partial<PlannedStep>): PlannedStep {
  const name = row.gpu === null ? row.step.name : `${row.step.name} (${row.gpu.bdf})`;
  const nothing = { before: null, after: null, evidence: null, remedy: null, diff: null };
  return { name, kind: row.step.kind, status, ...nothing, ...details };
}

function fromVerdict(row: CheckRow, work: AssertWork, verdict: Verdict): PlannedStep {
  const details = { before: verdict.found, evidence: verdict.evidence };
  if (verdict.holds === true) return planned(row, "ok", details);
  const remedy = row.step.remedy ?? verdict.remedy;
  // What is not known is said aloud and never counts as a failure.
  const status = verdict.holds === null ? "warning" : failing(work);
  return planned(row, status, { ...details, after: verdict.wanted, remedy });
}

function failing(work: AssertWork): CheckStatus {
  return work.severity === "warn" ? "warning" : "failed";
}
