import { strictBash } from "./kind.ts";
import { KIND_NAMES, kindOf } from "./kinds.ts";
import type { Playbook, PlaybookStep, StepKind, StepWork } from "./playbook.ts";
import type { PlaybookFile, StepFile } from "./playbook-schema.ts";

const DEFAULT_TIMEOUT_MS = 300_000;

/** A valid playbook file to steps that carry their scripts. */
export function compilePlaybook(
  file: PlaybookFile,
  path: string,
  vars: Readonly<Record<string, string>>,
  sources: ReadonlyMap<string, string>,
): Playbook {
  const release = file.hosts?.release;
  return {
    path,
    name: file.name,
    hosts: {
      os: file.hosts?.os ?? null,
      releases: release === undefined ? null : [release].flat(),
      arch: file.hosts?.arch ?? null,
    },
    become: file.become ?? false,
    vars,
    steps: file.steps.map((step) => compileStep(step, sources)),
  };
}

/** The environment of every script of a playbook: its variables in capitals. */
export function varsEnv(playbook: Playbook): Record<string, string> {
  return Object.fromEntries(Object.entries(playbook.vars).map(([name, value]) => [name.toUpperCase(), value]));
}

function compileStep(step: StepFile, sources: ReadonlyMap<string, string>): PlaybookStep {
  const kind = KIND_NAMES.find((name) => typeof step[name] === "object") as StepKind;
  const work = kindOf(kind).compile(step[kind], { hold: step.hold === true, sources });
  return {
    name: step.name,
    kind,
    tags: step.tags ?? [],
    isLeftOut: false,
    needs: step.needs ?? [],
    when: step.when === undefined ? null : strictBash(step.when),
    timeoutMs: step.timeout ?? DEFAULT_TIMEOUT_MS,
    rebootIfChanged: step.reboot === "if-changed",
    remedy: step.remedy ?? null,
    work: step.verify === undefined ? work : withVerify(work, step.verify),
  };
}

/** The step is at its goal when its own check and the playbook's `verify` both say so. */
function withVerify(work: StepWork, verify: string): StepWork {
  if (work.type !== "scripts") return work;
  // Not as "( … ) || …": bash ignores set -e inside a list.
  const check = `( ${work.check}\n)
[ "$?" = 0 ] || exit 1
( ${strictBash(verify)})
[ "$?" = 0 ] || { arc_before "not as it must be"; exit 1; }`;
  return { ...work, check };
}
