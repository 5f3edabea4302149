/** What a step script said in its "@" lines, and everything else it printed. */
export interface StepOutput {
  readonly before: string | null;
  readonly after: string | null;
  readonly evidence: string | null;
  readonly remedy: string | null;
  /** Why the step does not apply to the host; null when it does. */
  readonly skip: string | null;
  /** What would change: "-" what is, "+" what is wanted, and files as unified diffs; null when nothing was said. */
  readonly diff: string | null;
  readonly reboot: boolean;
  readonly reconnect: boolean;
  readonly unchanged: boolean;
  /** The other lines. */
  readonly plain: readonly string[];
}

type Word = readonly [word: string, text: string];

/** Reads the output of a check, apply or verify; see STEP_PRELUDE for the words. */
export function readStepOutput(text: string): StepOutput {
  const words: Word[] = [];
  const plain: string[] = [];
  for (const line of text.split("\n")) {
    const match = /^@(before|after|evidence|remedy|skip|diff|reboot|reconnect|unchanged)(?: (.*))?$/.exec(line);
    if (!match) {
      if (line.trim() !== "") plain.push(line);
      continue;
    }
    words.push([match[1] as string, match[2] ?? ""]);
  }
  const all = (word: string) => words.filter(([said]) => said === word).map(([, text]) => text);
  const joined = (word: string, by: string) => (all(word).length === 0 ? null : all(word).join(by));
  return {
    before: joined("before", ", "),
    after: joined("after", ", "),
    evidence: joined("evidence", "\n"),
    remedy: joined("remedy", "\n"),
    skip: joined("skip", ", "),
    diff: diffOf(words),
    reboot: all("reboot").length > 0,
    reconnect: all("reconnect").length > 0,
    unchanged: all("unchanged").length > 0,
    plain,
  };
}

/** One "-" and "+" for each thing that differs. The diff of a file replaces the words right before it: it says more. */
function diffOf(words: readonly Word[]): string | null {
  const lines: string[] = [];
  let pair: string[] = [];
  for (const [word, text] of words) {
    if (word === "diff") {
      pair = [];
      lines.push(text);
    } else if (word === "before") {
      lines.push(...pair);
      pair = [`-${text}`];
    } else if (word === "after") pair.push(`+${text}`);
  }
  return [...lines, ...pair].join("\n") || null;
}
