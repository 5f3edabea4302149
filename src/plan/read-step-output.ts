/** What a step script said in its "@" lines, and everything else it printed. */
export interface StepOutput {
  readonly before: string | null;
  readonly after: string | null;
  readonly evidence: string | null;
  readonly remedy: string | null;
  /** Why the step does not apply to the host; null when it does. */
  readonly skip: string | null;
  readonly diff: string | null;
  readonly reboot: boolean;
  readonly reconnect: boolean;
  readonly unchanged: boolean;
  /** The other lines. */
  readonly plain: readonly string[];
}

/** Reads the output of a check, apply or verify; see STEP_PRELUDE for the words. */
export function readStepOutput(text: string): StepOutput {
  const said = new Map<string, string[]>();
  const plain: string[] = [];
  for (const line of text.split("\n")) {
    const match = /^@(before|after|evidence|remedy|skip|diff|reboot|reconnect|unchanged)(?: (.*))?$/.exec(line);
    if (!match) {
      if (line.trim() !== "") plain.push(line);
      continue;
    }
    const word = match[1] as string;
    said.set(word, [...(said.get(word) ?? []), match[2] ?? ""]);
  }
  const joined = (word: string, by: string) => said.get(word)?.join(by) ?? null;
  return {
    before: joined("before", ", "),
    after: joined("after", ", "),
    evidence: joined("evidence", "\n"),
    remedy: joined("remedy", "\n"),
    skip: joined("skip", ", "),
    diff: joined("diff", "\n"),
    reboot: said.has("reboot"),
    reconnect: said.has("reconnect"),
    unchanged: said.has("unchanged"),
    plain,
  };
}
