import { openConfigDocument } from "../config/config-document.ts";
import { type ConfigProblem, describeIssues, showPath, wantedWords } from "../config/config-problem.ts";
import { inputProblems } from "../config/input-problems.ts";
import { nearestWord } from "../config/nearest-word.ts";
import { escapeControls } from "../core/show-value.ts";
import { compilePlaybook } from "./compile-playbook.ts";
import { interpolate } from "./interpolate.ts";
import type { Playbook } from "./playbook.ts";
import { keysAt, playbookRules } from "./playbook-rules.ts";
import { type PlaybookFile, playbookSchema } from "./playbook-schema.ts";

export type { Playbook } from "./playbook.ts";

/** Texts of the files that a playbook names with `source`, by that name. */
export type PlaybookSources = ReadonlyMap<string, string>;

/**
 * Reads a playbook and fills in its variables; `vars` replaces values of variables that the playbook declares. Throws
 * PLAYBOOK_INVALID with every mistake and its file:line:column, and nothing else, whatever the text.
 */
export function parsePlaybook(
  text: string,
  path: string,
  vars: Readonly<Record<string, string>>,
  sources: PlaybookSources = new Map(),
): Playbook {
  const document = openConfigDocument(text);
  const shown = escapeControls(path);
  const refuse = (lines: readonly string[]) =>
    inputProblems(
      `playbook "${shown}"`,
      lines,
      "Correct the lines above; playbooks/ubuntu-22.04-a770.yml is a complete example",
      "PLAYBOOK_INVALID",
    );
  if (document.syntaxProblems.length > 0) {
    throw refuse(document.syntaxProblems.map((problem) => `${shown}:${problem.place} ${escapeControls(problem.text)}`));
  }

  const declared = declaredVars(document.value);
  const filled = interpolate(withoutVars(document.value), { ...declared, ...vars });
  const value = withVars(filled.value, document.value);
  const parsed = playbookSchema.safeParse(value, { error: wantedWords });
  const problems = [
    ...filled.problems,
    ...unknownVars(vars, declared),
    ...(parsed.success ? playbookRules(parsed.data, sources) : describe(parsed.error.issues, value)),
  ];
  if (parsed.success && problems.length === 0)
    return compilePlaybook(parsed.data, path, { ...declared, ...vars }, sources);
  throw refuse(
    problems.map((problem) => `${shown}:${document.placeOf(problem.path, problem.at)} ${sentence(problem)}`),
  );
}

/** Names of the files that a playbook wants beside it. Never throws: a broken playbook names none. */
export function playbookSources(text: string): readonly string[] {
  const steps = (openConfigDocument(text).value as Partial<PlaybookFile> | null)?.steps;
  if (!Array.isArray(steps)) return [];
  const names = steps.map((step) => (step?.file as { source?: unknown } | null | undefined)?.source);
  return [...new Set(names.filter((name): name is string => typeof name === "string"))];
}

type Issue = Parameters<typeof describeIssues>[0][number];

/** As for a configuration, but "did you mean" looks among the keys of playbooks. */
function describe(issues: readonly Issue[], root: unknown): ConfigProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return describeIssues([issue], root);
    const known = keysAt(issue.path, root);
    return issue.keys.map((key): ConfigProblem => {
      const near = nearestWord(key, known);
      const hint = near === null ? `wanted one of ${known.join(", ")}` : `did you mean "${near}"?`;
      return { path: [...issue.path, key], at: "key", text: `unknown key, ${hint}` };
    });
  });
}

function sentence({ path, text }: ConfigProblem): string {
  return `${showPath(path)}: ${escapeControls(text)}`;
}

function declaredVars(value: unknown): Record<string, string> {
  const vars = (value as { vars?: unknown } | null)?.vars;
  if (typeof vars !== "object" || vars === null) return {};
  return Object.fromEntries(
    Object.entries(vars).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function unknownVars(
  given: Readonly<Record<string, string>>,
  declared: Readonly<Record<string, string>>,
): ConfigProblem[] {
  const names = Object.keys(declared);
  return Object.keys(given)
    .filter((name) => !Object.hasOwn(declared, name))
    .map((name) => {
      const near = nearestWord(name, names);
      const hint = near === null ? `wanted one of ${names.join(", ") || "none"}` : `did you mean "${near}"?`;
      return { path: ["vars"], at: "key", text: `the playbook has no variable "${name}", ${hint}` };
    });
}

// Values of variables are taken as they are: a value may hold braces.
function withoutVars(value: unknown): unknown {
  return isMap(value) ? { ...value, vars: undefined } : value;
}

function withVars(filled: unknown, original: unknown): unknown {
  if (!isMap(filled) || !isMap(original)) return filled;
  const { vars: _left, ...rest } = filled;
  return "vars" in original ? { ...rest, vars: original["vars"] } : rest;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
