/** `warning`: an assertion that does not hold and must not stop the run, or one that could not be judged. */
export type StepStatus = "ok" | "changed" | "warning" | "failed" | "blocked" | "skipped";

export interface StepOutcome {
  readonly name: string;
  readonly kind: string;
  readonly status: StepStatus;
  readonly before: string | null;
  readonly after: string | null;
  /** What was changed, in the words of `PlannedStep.diff`; null when nothing was. Absent in older records. */
  readonly diff?: string | null;
  /** Last lines of output of a failed step. */
  readonly output: string | null;
  readonly remedy: string | null;
  readonly durationMs: number;
}

/** One application of a playbook to one host. */
export interface ProvisionRecord {
  readonly host: string;
  /** Names the folder on the host that `undo` reads; null when nothing was changed. Absent in older records. */
  readonly runId?: string | null;
  readonly playbook: string;
  readonly steps: readonly StepOutcome[];
  readonly reboots: number;
  /** Whether a second check found nothing left to change. Null when it was not reached. */
  readonly converged: boolean | null;
  readonly durationMs: number;
}
