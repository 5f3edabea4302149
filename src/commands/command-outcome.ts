import type { GateDecision } from "../gate/gate-decision.ts";

/** What a command leaves to its caller: text for people, a value for machines, and the exit code. */
export interface CommandOutcome {
  readonly exitCode: number;
  /** Tables and sentences, without a final newline. */
  readonly text: string;
  readonly json: unknown;
  /** What the gate decided, for commands that judge. */
  readonly decision?: GateDecision;
}
