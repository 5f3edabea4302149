import type { Path } from "../config/config-document.ts";
import type { ConfigProblem } from "../config/config-problem.ts";
import { nearestWord } from "../config/nearest-word.ts";

/** Keys that hold bash. No variable is ever written into it: values arrive as environment variables. */
const SHELL_KEYS = new Set(["check", "apply", "verify", "undo", "when"]);

export interface Interpolated {
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
}

/** Fills `{{ name }}` in every text below a value, except in bash, where it is a mistake that could hide an injection. */
export function interpolate(value: unknown, vars: Readonly<Record<string, string>>, path: Path = []): Interpolated {
  if (typeof value === "string") {
    return SHELL_KEYS.has(String(path.at(-1))) ? refuseInShell(value, path) : fill(value, vars, path);
  }
  if (typeof value !== "object" || value === null) return { value, problems: [] };
  const parts = Object.entries(value).map(([key, inner]) => {
    const step = Array.isArray(value) ? Number(key) : key;
    return [key, interpolate(inner, vars, [...path, step])] as const;
  });
  const problems = parts.flatMap(([, part]) => part.problems);
  if (Array.isArray(value)) return { value: parts.map(([, part]) => part.value), problems };
  return { value: Object.fromEntries(parts.map(([key, part]) => [key, part.value])), problems };
}

function fill(text: string, vars: Readonly<Record<string, string>>, path: Path): Interpolated {
  const problems: ConfigProblem[] = [];
  const filled = text.replace(/\{\{(.*?)\}\}/gs, (whole, inner: string) => {
    const name = inner.trim();
    if (Object.hasOwn(vars, name)) return vars[name] as string;
    const near = nearestWord(name, Object.keys(vars));
    const known = Object.keys(vars).join(", ") || "none";
    const hint = near === null ? `wanted one of the vars: ${known}` : `did you mean "${near}"?`;
    problems.push({ path, at: "value", text: `unknown variable "${name}", ${hint}` });
    return whole;
  });
  return { value: filled, problems };
}

function refuseInShell(text: string, path: Path): Interpolated {
  const match = /\{\{\s*([a-z][a-z0-9_]*)\s*\}\}/.exec(text);
  if (!match) return { value: text, problems: [] };
  const name = (match[1] as string).toUpperCase();
  return { value: text, problems: [{ path, at: "value", text: `found ${match[0]} in bash, wanted "$${name}"` }] };
}
