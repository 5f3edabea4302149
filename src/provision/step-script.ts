import type { Script, ScriptResult } from "../core/script.ts";
import type { CheckRow } from "../plan/check-rows.ts";
import type { ScriptWork } from "../playbook/playbook.ts";
import { STEP_PRELUDE } from "../playbook/step-prelude.ts";
import { renderBatch, type Section, splitBatch } from "../probe/batch.ts";
import type { SectionOutput } from "../probe/fact-reader.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { newMark } from "./check-host.ts";
import { ambientEnv, runFolder, runOptions, type StepContext } from "./step-context.ts";
import { undoScript } from "./undo-script.ts";

export interface SectionsRun {
  readonly script: Script;
  readonly result: ScriptResult;
  readonly outputs: ReadonlyMap<string, SectionOutput>;
}

/** Runs parts of one step on the host, in one round trip, and shows what they print as progress. */
export async function runSections(
  context: StepContext,
  row: CheckRow,
  work: ScriptWork,
  facts: HostFacts,
  sections: readonly Section[],
): Promise<SectionsRun> {
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
  return { script, result, outputs: splitBatch(result.stdout, mark) };
}

/** Keeps what undo needs before anything is touched, then applies; the log stays for whoever comes after a crash. */
export function applySection(context: StepContext, row: CheckRow, work: ScriptWork, facts: HostFacts): Section {
  const dir = stepFolder(context, row);
  const text = dir === "" ? APPLY : RECORDED_APPLY;
  const at = context.clock.isoNow();
  const env = {
    ...work.env,
    ARC_STEP_DIR: dir,
    ARC_STEP: row.id,
    ARC_CHECK: work.check,
    ARC_APPLY: work.apply,
    ARC_ASKS_REBOOT: row.step.rebootIfChanged ? "yes" : "",
    ARC_UNDO: undoScript(row.step.name, work, ambientEnv(context, facts)) ?? "",
    ARC_RUN: JSON.stringify({ playbook: context.playbook.name, startedAt: at }),
    ARC_STARTED: JSON.stringify({ step: row.id, state: "started", name: row.step.name, kind: row.step.kind, at }),
  };
  return { name: "apply", text, env };
}

/** The check of a step after it was applied; that it held is written down beside what was done. */
export function verifySection(context: StepContext, row: CheckRow, work: ScriptWork): Section {
  if (stepFolder(context, row) === "") return { name: "verify", text: work.check, env: work.env };
  return { name: "verify", text: RECORDED_VERIFY, env: { ...work.env, ARC_STEP: row.id, ARC_CHECK: work.check } };
}

/** Where a step of this run keeps its state on the host; empty for runs without root. */
export function stepFolder(context: StepContext, row: CheckRow): string {
  const folder = runFolder(context);
  return folder === "" ? "" : `${folder}/${row.id}`;
}

/** The plan may be older than steps that ran since: what one of them did already is no change of this one. */
const APPLY = `
( ARC_STEP_DIR=; eval "$ARC_CHECK" ) >/dev/null 2>&1
[ "$?" = 0 ] && { echo @unchanged; exit 0; }
[ -z "$ARC_ASKS_REBOOT" ] || arc_ask_reboot
eval "$ARC_APPLY"`;

// The pid comes first: from then on whoever comes back knows that somebody is at work here. The boot id tells a process of this boot from another one that got the same number after a reboot.
const RECORDED_APPLY = `
mkdir -p "$ARC_STEP_DIR" || exit 1
rm -f "$ARC_STEP_DIR/rc"
echo "$$ $(cat "$ARC_ROOT/proc/sys/kernel/random/boot_id")" > "$ARC_STEP_DIR/pid"
( ARC_STEP_DIR=; eval "$ARC_CHECK" ) >/dev/null 2>&1
if [ "$?" = 0 ]; then
  echo @unchanged | tee "$ARC_STEP_DIR/log"
  echo 0 > "$ARC_STEP_DIR/rc"
  exit 0
fi
[ -e "$ARC_RUN_DIR/run.json" ] || printf '%s\\n' "$ARC_RUN" > "$ARC_RUN_DIR/run.json"
printf '%s\\n' "$ARC_STARTED" >> "$ARC_RUN_DIR/steps.jsonl"
[ -z "$ARC_ASKS_REBOOT" ] || arc_ask_reboot
[ -n "$ARC_UNDO" ] && arc_write "$ARC_UNDO" "$ARC_STEP_DIR/undo.sh" 700
( eval "$ARC_APPLY" ) 2>&1 | tee "$ARC_STEP_DIR/log"
rc=\${PIPESTATUS[0]}
echo "$rc" > "$ARC_STEP_DIR/rc"
printf '{"step":"%s","state":"applied","rc":%s}\\n' "$ARC_STEP" "$rc" >> "$ARC_RUN_DIR/steps.jsonl"
sync "$ARC_RUN_DIR/steps.jsonl" 2>/dev/null
exit "$rc"`;

const RECORDED_VERIFY = `
( eval "$ARC_CHECK" )
rc=$?
[ "$rc" = 0 ] && [ -e "$ARC_RUN_DIR/steps.jsonl" ] &&
  printf '{"step":"%s","state":"verified"}\\n' "$ARC_STEP" >> "$ARC_RUN_DIR/steps.jsonl"
exit "$rc"`;
