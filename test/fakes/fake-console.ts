import type { Console } from "../../src/ports/console.ts";

export interface FakeConsole extends Console {
  /** Every line but progress, with its level in front. */
  readonly lines: readonly string[];
  readonly progressLines: readonly string[];
}

/** A console that remembers what a person would have seen. */
export function fakeConsole(): FakeConsole {
  const lines: string[] = [];
  const progressLines: string[] = [];
  return {
    lines,
    progressLines,
    info: (line) => lines.push(`info ${line}`),
    warn: (line) => lines.push(`warn ${line}`),
    error: (line) => lines.push(`error ${line}`),
    group: (title) => lines.push(`group ${title}`),
    endGroup: () => {},
    progress: (line) => progressLines.push(line),
  };
}
