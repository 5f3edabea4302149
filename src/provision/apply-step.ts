import { AppError } from "../core/app-error.ts";
import { describeEnd, expectOk } from "../core/expect-ok.ts";
import type { Script, ScriptResult } from "../core/script.ts";
import type { CheckRow } from "../plan/check-rows.ts";
import type { ScriptWork } from "../plan/playbook.ts";
import { readStepOutput, type StepOutput } from "../plan/read-step-output.ts";
import { STEP_PRELUDE } from "../plan/step-prelude.ts";
import { renderBatch, type Section, splitBatch } from "../probe/batch.ts";
import type { SectionOutput } from "../probe/fact-reader.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { newMark } from "./check-host.ts";
import { ambientEnv, runFolder, runOptions, type StepContext } from "./step-context.ts";
import { undoScript } from "./undo-script.ts";

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
 * time after it. Throws when the host cannot be asked, or when the run is cancelled.
 */
export async function applyStep(
  context: StepContext,
  row: CheckRow,
  work: ScriptWork,
  facts: HostFacts,
): Promise<Applied> {
  const sections: Section[] = [
    { name: "apply", text: applyText(context), env: applyEnv(context, row, work, facts) },
    { name: "verify", text: work.check, env: work.env },
  ];
  const { result, outputs } = await runSections(context, row, work, facts, sections);
  const apply = outputs.get("apply");
  if (result.ended === "timed-out") return timedOut(row, work, result, apply);
  const said = readStepOutput(apply?.text ?? "");
  if (apply?.exitCode !== 0) return failed(row, said);
  if (said.unchanged) return { ...DONE, changed: false };
  if (said.reboot) return { ...DONE, reboot: true, reconnect: said.reconnect };
  return verified(row, outputs.get("verify"), said);
}

/** What a step wants done after the reboot it asked for, then its check. */
export async function finishAfterReboot(
  context: StepContext,
  row: CheckRow,
  work: ScriptWork,
  facts: HostFacts,
): Promise<Applied> {
  const sections: Section[] = [{ name: "verify", text: work.check, env: work.env }];
  if (work.afterReboot !== null) sections.unshift({ name: "after", text: work.afterReboot, env: work.env });
  const { outputs } = await runSections(context, row, work, facts, sections);
  const after = outputs.get("after");
  const said = readStepOutput(after?.text ?? "");
  if (work.afterReboot !== null && after?.exitCode !== 0) return failed(row, said);
  return verified(row, outputs.get("verify"), said);
}

async function runSections(
  context: StepContext,
  row: CheckRow,
  work: ScriptWork,
  facts: HostFacts,
  sections: readonly Section[],
): Promise<{ result: ScriptResult; outputs: ReadonlyMap<string, SectionOutput> }> {
  const { shell, console, playbook } = context;
  const mark = newMark();
  const batch = renderBatch(sections, mark, STEP_PRELUDE);
  const script: Script = {
    name: `apply "${row.step.name}"`,
    text: batch.text,
    env: { ...ambientEnv(context, facts), ARC_RUN_DIR: runFolder(context), ...batch.env },
    sudo: playbook.become,
  };
  const result = await shell.run(script, {
    ...runOptions(context, row.step.timeoutMs),
    onDisconnect: work.onDisconnect,
    onLine: (line) => {
      if (line.trim() !== "" && !line.startsWith("@") && !line.startsWith(mark)) console.progress(line);
    },
  });
  if (result.ended !== "exited" && result.ended !== "timed-out") expectOk(shell.host, script, result);
  return { result, outputs: splitBatch(result.stdout, mark) };
}

function applyEnv(context: StepContext, row: CheckRow, work: ScriptWork, facts: HostFacts): Record<string, string> {
  const folder = runFolder(context);
  const stepDir = folder === "" ? "" : `${folder}/${row.id}`;
  const undo = undoScript(row.step.name, work, ambientEnv(context, facts));
  return {
    ...work.env,
    ARC_STEP_DIR: stepDir,
    ARC_CHECK: work.check,
    ARC_APPLY: work.apply,
    ARC_UNDO: undo ?? "",
    ARC_RUN: JSON.stringify({ playbook: context.playbook.name, startedAt: context.clock.isoNow() }),
    ARC_STARTED: JSON.stringify({ step: row.id, name: row.step.name, kind: row.step.kind, at: context.clock.isoNow() }),
  };
}

/** Keeps what undo needs before anything is touched, then applies; the log stays for whoever comes after a crash. */
function applyText(context: StepContext): string {
  if (runFolder(context) === "") return `${UNLESS_DONE}eval "$ARC_APPLY"`;
  return `${UNLESS_DONE}
mkdir -p "$ARC_STEP_DIR" || exit 1
[ -e "$ARC_RUN_DIR/run.json" ] || printf '%s\\n' "$ARC_RUN" > "$ARC_RUN_DIR/run.json"
printf '%s\\n' "$ARC_STARTED" >> "$ARC_RUN_DIR/steps.jsonl"
[ -n "$ARC_UNDO" ] && arc_write "$ARC_UNDO" "$ARC_STEP_DIR/undo.sh" 700
echo $$ > "$ARC_STEP_DIR/pid"
( eval "$ARC_APPLY" ) 2>&1 | tee "$ARC_STEP_DIR/log"
rc=\${PIPESTATUS[0]}
echo "$rc" > "$ARC_STEP_DIR/rc"
exit "$rc"`;
}

/** The plan may be older than steps that ran since: what one of them did already is no change of this one. */
const UNLESS_DONE = `
( ARC_STEP_DIR=; eval "$ARC_CHECK" ) >/dev/null 2>&1
[ "$?" = 0 ] && { echo @unchanged; exit 0; }
`;

const DONE: Applied = { ok: true, changed: true, output: null, remedy: null, reboot: false, reconnect: false };

function verified(row: CheckRow, verify: SectionOutput | undefined, applied: StepOutput): Applied {
  if (verify?.exitCode === 0) {
    return { ...DONE, reconnect: applied.reconnect };
  }
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
