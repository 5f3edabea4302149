import type { Path } from "../config/config-document.ts";
import { type ConfigProblem, valueAt } from "../config/config-problem.ts";
import { nearestWord } from "../config/nearest-word.ts";
import { bodyKeys, KIND_NAMES, kindOf } from "./kinds.ts";
import type { StepKind } from "./playbook.ts";
import { HOSTS_KEYS, PLAYBOOK_KEYS, type PlaybookFile, STEP_KEYS } from "./playbook-schema.ts";

/** What a schema cannot say: names that must be unique or exist, and variables that would break every script. */
export function playbookRules(file: PlaybookFile, sources: ReadonlyMap<string, string>): ConfigProblem[] {
  return [...nameProblems(file), ...variableProblems(file), ...sourceProblems(file, sources)];
}

/** Keys that may stand at a place of a playbook. */
export function keysAt(path: Path, root: unknown): readonly string[] {
  if (path.length === 0) return PLAYBOOK_KEYS;
  if (path[0] === "hosts") return HOSTS_KEYS;
  if (path[0] !== "steps" || path.length === 2) return STEP_KEYS;
  const kind = KIND_NAMES.find((name) => name === path[2]);
  if (kind === undefined) return [];
  const keys = bodyKeys(kindOf(kind).schema);
  if (path.length === 3) return keys;
  // Deeper maps are few and small: what stands there already tells enough.
  return Object.keys((valueAt(root, path) as object | undefined) ?? {}).length === 0
    ? []
    : (INNER_KEYS[String(path[3])] ?? []);
}

const INNER_KEYS: Readonly<Record<string, readonly string[]>> = {
  key: ["url", "keyring", "fingerprints"],
  trial: ["timeout", "panic"],
  expect: ["uname", "paths", "units"],
};

function nameProblems(file: PlaybookFile): ConfigProblem[] {
  const seen: string[] = [];
  const problems: ConfigProblem[] = [];
  for (const [index, step] of file.steps.entries()) {
    if (seen.includes(step.name)) {
      problems.push({
        path: ["steps", index, "name"],
        at: "value",
        text: `"${step.name}" twice, wanted a name of its own`,
      });
    }
    for (const [position, need] of (step.needs ?? []).entries()) {
      if (seen.includes(need)) continue;
      const near = nearestWord(need, seen);
      const hint = near === null ? "wanted the name of an earlier step" : `did you mean "${near}"?`;
      problems.push({
        path: ["steps", index, "needs", position],
        at: "value",
        text: `no earlier step "${need}", ${hint}`,
      });
    }
    seen.push(step.name);
  }
  return problems;
}

/** Variables become environment variables: these names mean something to bash or to the loader. */
const TAKEN =
  /^(PATH|HOME|USER|SHELL|IFS|PWD|OLDPWD|ENV|TMPDIR|LANG|LD_.*|LC_.*|BASH.*|SUDO_.*|ARC_.*|PS[0-9]|EUID|UID|PPID|HOSTNAME|RANDOM|SECONDS|DEBIAN_FRONTEND|GPU_(BDF|NAME|DEVICE_ID))$/;

function variableProblems(file: PlaybookFile): ConfigProblem[] {
  const kindEnv = new Set(KIND_ENV);
  return Object.keys(file.vars ?? {})
    .filter((name) => TAKEN.test(name.toUpperCase()) || kindEnv.has(name.toUpperCase()))
    .map((name) => ({
      path: ["vars", name],
      at: "key",
      text: `$${name.toUpperCase()} has a meaning already, wanted another name`,
    }));
}

/** Values that the kinds pass to their own scripts. */
const KIND_ENV = [
  ...["PACKAGES", "HOLD", "BOOT_FREE_MB", "MAY_REMOVE", "LIST", "CONTENT", "KEY_URL", "KEYRING", "TRUSTED_KEYS"],
  ...["IF_INSTALLED", "RELEASE", "DROPIN", "TRIAL_SECONDS", "FILE", "MODE", "UNIT", "STATE", "SETTING", "VALUE"],
  ...["GROUP_USER", "GROUPS_TO_ADD", "IMAGE"],
];

function sourceProblems(file: PlaybookFile, sources: ReadonlyMap<string, string>): ConfigProblem[] {
  return file.steps.flatMap((step, index) => {
    const source = (step.file as { source?: string } | undefined)?.source;
    if (source === undefined || sources.has(source)) return [];
    const path: Path = ["steps", index, "file" satisfies StepKind, "source"];
    return [{ path, at: "value", text: `found "${source}", wanted a file beside the playbook` }];
  });
}
