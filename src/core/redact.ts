import type { Secret } from "./secret.ts";
import { SECRET_PATTERNS } from "./secret-patterns.ts";

/** Takes secrets out of text before anyone sees it. Both consoles own one; GitHub's own masks come on top. */
export interface Redactor {
  /** From now on the value and its usual other spellings are hidden. Values under 4 characters would hide half the log. */
  hide(secret: Secret): void;
  clean(text: string): string;
}

/** Hides known values in any of their spellings, and everything that looks like a key or a token. */
export function createRedactor(): Redactor {
  let spellings: readonly string[] = [];
  return {
    hide(secret) {
      const all = new Set([...spellings, ...spellingsOf(secret.reveal())]);
      // Longest first: a short spelling must not cut a longer one in half.
      spellings = [...all].sort((a, b) => b.length - a.length);
    },
    clean(text) {
      const withoutValues = spellings.reduce((cleaned, spelling) => cleaned.replaceAll(spelling, MASK), text);
      return SECRET_PATTERNS.reduce(
        (cleaned, { pattern }) => cleaned.replace(new RegExp(pattern, `g${pattern.flags}`), MASK),
        withoutValues,
      );
    },
  };
}

const MASK = "***";
const SHORTEST = 4;
/** A line of a multi-line secret may be an ordinary word; a line of a key is not this short, but for its last. */
const SHORTEST_LINE = 8;

/** A secret in the forms in which programs print it: as it is, line by line, in base64, in a URL, in JSON, quoted. */
export function spellingsOf(value: string): string[] {
  const whole = [value, value.trim(), value.replaceAll("\r\n", "\n")];
  const lines = value.includes("\n") ? value.split(/\r?\n/).map((line) => line.trim()) : [];
  return [...whole.flatMap(derivedForms), ...lines.filter((line) => line.length >= SHORTEST_LINE)].filter(
    (spelling) => spelling.length >= SHORTEST,
  );
}

function derivedForms(value: string): string[] {
  if (value.length < SHORTEST) return [];
  const base64 = btoa(Array.from(new TextEncoder().encode(value), (byte) => String.fromCharCode(byte)).join(""));
  const base64Url = base64.replaceAll("+", "-").replaceAll("/", "_");
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.replace(/\p{Surrogate}/gu, "\ufffd")),
    value.replaceAll("'", `'\\''`),
    base64,
    base64Url,
    base64.replace(/=+$/, ""),
    base64Url.replace(/=+$/, ""),
  ];
}
