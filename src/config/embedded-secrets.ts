import { secretKindOf } from "../core/secret-patterns.ts";
import type { Path } from "./config-document.ts";
import type { ConfigProblem } from "./config-problem.ts";

/** Secrets, and GitHub expressions that nobody will expand, in the texts of a configuration. */
export function embeddedSecrets(value: unknown): ConfigProblem[] {
  return textsOf(value, []).flatMap(({ path, text }): ConfigProblem[] => {
    const kind = secretKindOf(text);
    if (kind !== null) {
      return [{ path, at: "value", text: `found a ${kind}, wanted no secret in this file: put it in the environment` }];
    }
    if (text.includes("${{")) {
      return [{ path, at: "value", text: "found a GitHub expression, wanted plain text: only workflows expand these" }];
    }
    return [];
  });
}

function textsOf(value: unknown, path: Path): { path: Path; text: string }[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  const entries: [PropertyKey, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, inner]) => textsOf(inner, [...path, key]));
}
