/** What a command leaves to its caller: text for people, a value for machines, and the exit code. */
export interface CommandOutcome {
  readonly exitCode: number;
  /** Tables and sentences, without a final newline. */
  readonly text: string;
  readonly json: unknown;
}
