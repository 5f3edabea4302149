import { secretKindOf } from "./secret-patterns.ts";

/** A value from outside as it may stand in a message: on one line, quoted, cut, without control characters or secrets. */
export function showValue(value: unknown, maxLength = 60): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value, withoutSecrets) ?? String(value);
  return escapeControls(text.length > maxLength ? `${text.slice(0, maxLength)}…` : text);
}

/** Writes characters that a terminal or a log would act on as \uXXXX. */
export function escapeControls(text: string): string {
  return text.replace(ACTED_ON, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

// C0, DEL and C1; line and paragraph separators; marks that turn the direction of writing; lone surrogates.
const ACTED_ON =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function withoutSecrets(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return typeof value === "string" && secretKindOf(value) !== null ? "…" : value;
}
