/** What one part of a batch printed (stdout and stderr together, cleaned) and how it ended. */
export interface SectionOutput {
  readonly text: string;
  /** 127 means that the command is not installed; null that the host never got to the end of it. */
  readonly exitCode: number | null;
}

/** A value with the line it was read from and what a person should know about it. */
export interface Reading<T> {
  readonly value: T;
  readonly evidence: string | null;
  readonly warnings: readonly string[];
}

/** One fact: a fixed bash fragment and the pure parser of what it prints. A parser never throws. */
export interface FactReader<T> {
  readonly name: string;
  readonly script: string;
  readonly parse: (output: SectionOutput) => Reading<T>;
}

export function read<T>(value: T, evidence: string | null, ...warnings: readonly string[]): Reading<T> {
  return { value, evidence, warnings };
}

/** The value of the last `key=value` line for each key. Values keep their spaces, without quotes around them. */
export function keyValues(text: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][\w.:/-]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match) pairs.set(match[1] as string, unquote(match[2] as string));
  }
  return pairs;
}

/** A whole number, or null when the text is anything else. */
export function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text.trim()) : null;
}

function unquote(text: string): string {
  const match = /^(["'])(.*)\1$/.exec(text);
  return match ? (match[2] as string) : text;
}
