import type { z } from "zod";
import { escapeControls, showValue } from "../core/show-value.ts";
import type { Path } from "./config-document.ts";
import type { FlagProblem } from "./flag-problem.ts";
import { nearestWord } from "./nearest-word.ts";
import { knownKeys } from "./schema-keys.ts";

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  readonly path: Path;
  /** Whether the place shown is that of the key or of the value. */
  readonly at: "key" | "value";
  readonly text: string;
}

type Issue = z.core.$ZodIssue;

/** Zod's issues in our words: what was found, what is wanted, and the nearest thing that would be right. */
export function describeIssues(issues: readonly Issue[], value: unknown): ConfigProblem[] {
  return issues.flatMap((issue) => describeIssue(issue, value));
}

/** Says what a schema wants as the end of a sentence. Zod calls it for every issue that has no words of its own. */
export function wantedWords(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPE_WORDS[issue.expected] ?? `a ${issue.expected}`;
    case "invalid_value":
      return choices(issue.values);
    case "too_small":
      return `at least ${issue.minimum}`;
    case "too_big":
      return `at most ${issue.maximum}`;
    default:
      return "another value";
  }
}

/** A path as people write it: hosts[0].host-key. */
export function showPath(path: Path): string {
  const written = path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step).slice(0, 80)}`))
    .join("");
  return escapeControls(written.replace(/^\./, "")) || "the file";
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  array: "a list",
  object: "a map of keys and values",
  record: "a map of keys and values",
};

function describeIssue(issue: Issue, root: unknown): ConfigProblem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      at: "key",
      text: unknownKey(key, issue.path, root),
    }));
  }
  if (issue.code === "invalid_key") {
    const wanted = issue.issues[0]?.message ?? "another key";
    return [{ path: issue.path, at: "key", text: `this key cannot be used, wanted ${wanted}` }];
  }
  if (issue.code === "invalid_union") return describeUnion(issue, root);

  const found = valueAt(root, issue.path);
  if (issue.code === "custom" && issue.params?.["flagProblem"] !== undefined) {
    const { unknown, nearest, wanted } = issue.params["flagProblem"] as FlagProblem;
    if (unknown) {
      const text = nearest === null ? `unknown flag, wanted ${wanted}` : `unknown flag, did you mean "${nearest}"?`;
      return [{ path: issue.path, at: "key", text }];
    }
  }
  const near = issue.code === "invalid_value" ? didYouMean(found, issue.values) : "";
  return [valueProblem(issue.path, found, `${issue.message}${near}`)];
}

function describeUnion(issue: Issue & { code: "invalid_union" }, root: unknown): ConfigProblem[] {
  const found = valueAt(root, issue.path);
  if (issue.errors.length === 0 && "options" in issue && Array.isArray(issue.options)) {
    const options = issue.options.filter((option) => typeof option === "string");
    return [valueProblem(issue.path, found, `${choices(options)}${didYouMean(found, options)}`)];
  }
  // The branch that has the right kind of value but something wrong inside is the one the person meant.
  const meant = issue.errors.filter((branch) => !branch.some(({ path }) => path.length === 0 && isWrongType(branch)));
  const branch = meant.length === 1 ? meant[0] : undefined;
  if (branch !== undefined) {
    const moved = branch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
    return describeIssues(moved, root);
  }
  const wanted = [...new Set(issue.errors.flatMap((inner) => inner.map(({ message }) => message)))];
  return [valueProblem(issue.path, found, wanted.join(", or "))];
}

function isWrongType(branch: readonly Issue[]): boolean {
  return branch.some(({ code, path }) => path.length === 0 && (code === "invalid_type" || code === "invalid_value"));
}

function valueProblem(path: Path, found: unknown, wanted: string): ConfigProblem {
  if (found === undefined) return { path, at: "key", text: `missing, wanted ${wanted}` };
  if (found === null) return { path, at: "key", text: `empty, wanted ${wanted}` };
  return { path, at: "value", text: `found ${isSecretName(path) ? "…" : showValue(found)}, wanted ${wanted}` };
}

function unknownKey(key: string, path: Path, root: unknown): string {
  const known = knownKeys(path, root);
  const near = nearestWord(key, known);
  if (near !== null) return `unknown key, did you mean "${near}"?`;
  return known.length === 0 ? "unknown key" : `unknown key, wanted one of ${known.join(", ")}`;
}

function didYouMean(found: unknown, options: readonly unknown[]): string {
  const near = typeof found === "string" ? nearestWord(found, options.map(String)) : null;
  return near === null || options.length === 1 ? "" : `, did you mean "${near}"?`;
}

function choices(options: readonly unknown[]): string {
  const shown = options.map((option) => JSON.stringify(option));
  return shown.length === 1 ? `${shown[0]}` : `one of ${shown.join(", ")}`;
}

/** Where people put passwords although they should not: such a value is not repeated. */
function isSecretName(path: Path): boolean {
  const name = String(path.at(-1));
  return name !== "host-key" && /(^|[-_])(key|token|secret|password|passphrase)$/i.test(name);
}

/** The value at a path of plain data; undefined where the path leaves it. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    return (value as Record<PropertyKey, unknown>)[step];
  }, root);
}
