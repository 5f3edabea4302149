/** Quotes one word for any POSIX shell. The only place that quotes; prefer passing values as Script.env. */
export function quotePosix(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
