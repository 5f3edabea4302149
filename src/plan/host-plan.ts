/** What a playbook wants of one host, after the check and before anything is changed. */
export interface HostPlan {
  readonly host: string;
  readonly playbook: string;
  readonly steps: readonly PlannedStep[];
  /** True when a step that will change something asks for a reboot, or the running kernel is not the wanted one. */
  readonly needsReboot: boolean;
}

/**
 * `failed` at check time is an assertion that does not hold: nothing we may change ourselves. `warning` is the same for
 * an assertion that must not stop a run, or one that could not be judged.
 */
export type CheckStatus = "ok" | "would-change" | "warning" | "failed" | "blocked" | "skipped";

export interface PlannedStep {
  readonly name: string;
  readonly kind: string;
  readonly status: CheckStatus;
  /** What is, and what is wanted, in the words of the step; null when there is nothing to say. */
  readonly before: string | null;
  readonly after: string | null;
  /** The line or lines the verdict was read from. */
  readonly evidence: string | null;
  /** What a person can do, when the status is failed, warning or blocked. */
  readonly remedy: string | null;
  /** What would change: "-" what is, "+" what is wanted, files as unified diffs. Null: nothing; absent in older records. */
  readonly diff?: string | null;
}
