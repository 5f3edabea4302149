import { AppError } from "../core/app-error.ts";

/**
 * Words for a host script, one per line of an environment variable; the script reads them back with `mapfile -t`, so
 * nothing is quoted or evaluated on the way. A word with a line break cannot travel and is refused.
 */
export function wordList(words: readonly string[]): string {
  const broken = words.find((word) => /[\n\r\0]/.test(word));
  if (broken === undefined) return words.join("\n");
  throw new AppError("INPUT_INVALID", {
    message: `Cannot pass ${JSON.stringify(broken)} to a model server: it has a line break, one line of text is wanted`,
    hint: 'Put the value on one line in "serve"',
  });
}

/** `NAME=value` words, as `env` and `docker --env` take them. */
export function envWords(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
