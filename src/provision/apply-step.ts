import { AppError } from "../core/app-error.ts";
import { describeEnd, expectOk } from "../core/expect-ok.ts";
import type { ScriptResult } from "../core/script.ts";
import type { CheckRow } from "../plan/check-rows.ts";
import { readStepOutput, type StepOutput } from "../plan/read-step-output.ts";
import type { ScriptWork } from "../playbook/playbook.ts";
import type { Section } from "../probe/batch.ts";
import type { SectionOutput } from "../probe/fact-reader.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { reattach } from "./reattach.ts";
import type { StepContext } from "./step-context.ts";
import { applySection, runSections, type SectionsRun, verifySection } from "./step-script.ts";

/** How one application of a step ended, before anything is said about the run. */
export interface Applied {
  readonly ok: boolean;
  /** False when the check found, right before applying, that there is nothing to do any more. */
  readonly changed: boolean;
  /** Last lines of what it printed, when it is not ok. */
  readonly output: string | null;
  readonly remedy: string | null;
  readonly reboot: boolean;
  readonly reconnect: boolean;
}

/**
 * Applies a step and checks it again, in one round trip. The check after a step that asks for a reboot is left to the
 * time after it. A step that goes on without us is waited for over a new connection. Throws when the host cannot be
 * asked, or when the run is cancelled.
 */
export async function applyStep(
  context: StepContext,
  row: CheckRow,
  work: ScriptWork,
  facts: HostFacts,
): Promise<Applied> {
  const sections = [applySection(context, row, work, facts), verifySection(context, row, work)];
  const run = await runSections(context, row, work, facts, sections);
  const { result, outputs } = run;
  if (result.ended === "timed-out") return timedOut(row, work, result, outputs.get("apply"));
  if (result.ended === "connection-lost" && work.onDisconnect === "finish") {
    const apply = await reattach(context, row, run);
    const again = await runSections(context, row, work, facts, [verifySection(context, row, work)]);
    return judge(row, apply, endedWell(context, again).get("verify"));
  }
  const ended = endedWell(context, run);
  return judge(row, ended.get("apply"), ended.get("verify"));
}

/** What a step wants done after the reboot it asked for, then its check. */
export async function finishAfterReboot(
  context: StepContext,
  row: CheckRow,
  work: ScriptWork,
  facts: HostFacts,
): Promise<Applied> {
  const sections: Section[] = [verifySection(context, row, work)];
  if (work.afterReboot !== null) sections.unshift({ name: "after", text: work.afterReboot, env: work.env });
  const outputs = endedWell(context, await runSections(context, row, work, facts, sections));
  const after = outputs.get("after");
  const said = readStepOutput(after?.text ?? "");
  if (work.afterReboot !== null && after?.exitCode !== 0) return failed(row, said);
  return verified(row, outputs.get("verify"), said);
}

function endedWell({ shell }: StepContext, { script, result, outputs }: SectionsRun): SectionsRun["outputs"] {
  expectOk(shell.host, script, result);
  return outputs;
}

function judge(row: CheckRow, apply: SectionOutput | undefined, verify: SectionOutput | undefined): Applied {
  const said = readStepOutput(apply?.text ?? "");
  if (apply?.exitCode !== 0) return failed(row, said);
  if (said.unchanged) return { ...DONE, changed: false };
  if (said.reboot) return { ...DONE, reboot: true, reconnect: said.reconnect };
  return verified(row, verify, said);
}

const DONE: Applied = { ok: true, changed: true, output: null, remedy: null, reboot: false, reconnect: false };

function verified(row: CheckRow, verify: SectionOutput | undefined, applied: StepOutput): Applied {
  if (verify?.exitCode === 0) return { ...DONE, reconnect: applied.reconnect };
  const said = readStepOutput(verify?.text ?? "");
  const still = said.before ?? said.plain.slice(-5).join("; ");
  const lines = [...applied.plain.slice(-30), `Applied, but the check still says: ${still || "not as it must be"}`];
  return { ...failed(row, said), output: lines.join("\n") };
}

function failed(row: CheckRow, said: StepOutput): Applied {
  const output = said.plain.slice(-40).join("\n") || null;
  return { ...DONE, ok: false, output, remedy: said.remedy ?? row.step.remedy };
}

function timedOut(row: CheckRow, work: ScriptWork, result: ScriptResult, apply: SectionOutput | undefined): Applied {
  const said = readStepOutput(apply?.text ?? "");
  const goesOn = work.onDisconnect === "finish" ? "; it goes on by itself on the host" : "";
  const lines = [...said.plain.slice(-30), `${describeEnd({ ...result, stdout: "", stderr: "" })}${goesOn}`];
  const remedy = row.step.remedy ?? "Raise the timeout of the step, or look for a stuck process on the host";
  return { ...failed(row, said), output: lines.join("\n"), remedy };
}

/** The error of a step that failed, with what a person can do. */
export function stepFailure(host: string, name: string, applied: Pick<Applied, "output" | "remedy">): AppError {
  const tail = applied.output?.split("\n").slice(-5).join("\n") ?? "it printed nothing";
  return new AppError("STEP_FAILED", {
    message: `Cannot apply step "${name}" on host "${host}": ${tail}`,
    hint: applied.remedy ?? "Read the output of the step; a second run goes on where this one stopped",
  });
}
