/** A playbook after validation: variables filled in, every step compiled to scripts. */
export interface Playbook {
  /** As the user gave it, for messages. */
  readonly path: string;
  readonly name: string;
  readonly hosts: HostRequirement;
  /** Run steps as root. */
  readonly become: boolean;
  /** Values by name; scripts see them as environment variables in upper case. */
  readonly vars: Readonly<Record<string, string>>;
  readonly steps: readonly PlaybookStep[];
}

/** Which hosts a playbook is for; null: any. */
export interface HostRequirement {
  readonly os: string | null;
  readonly releases: readonly string[] | null;
  readonly arch: string | null;
}

export type StepKind =
  | "apt"
  | "apt_repo"
  | "hold"
  | "kernel"
  | "file"
  | "unit"
  | "sysfs"
  | "groups"
  | "assert"
  | "reboot"
  | "container_image"
  | "shell";

export interface PlaybookStep {
  readonly name: string;
  readonly kind: StepKind;
  readonly tags: readonly string[];
  /** Tags chose other steps: it is neither checked nor applied, only shown. */
  readonly isLeftOut: boolean;
  /** Names of earlier steps without which this one makes no sense. */
  readonly needs: readonly string[];
  /** Bash that ends with 0 when the step applies to this host. */
  readonly when: string | null;
  readonly timeoutMs: number;
  /** Ask the next reboot step for a reboot when this step changed something. */
  readonly rebootIfChanged: boolean;
  readonly remedy: string | null;
  readonly work: StepWork;
}

export type StepWork = ScriptWork | AssertWork | RebootWork;

/** Bring the host to a state. `check` ends with 0 when it is there, and says what differs. */
export interface ScriptWork {
  readonly type: "scripts";
  readonly check: string;
  readonly apply: string;
  /** Puts back what `apply` recorded in $ARC_STEP_DIR; null: there is nothing to put back. */
  readonly undo: string | null;
  /** Runs after a reboot that `apply` asked for, before the check is repeated. */
  readonly afterReboot: string | null;
  /** Values for all four scripts. */
  readonly env: Readonly<Record<string, string>>;
  /** What happens on the host when the connection breaks while `apply` runs: dpkg must never be cut in half. */
  readonly onDisconnect: "kill" | "finish";
}

/** Something that must hold and that we may not change. Judged from the facts, or by a script. */
export interface AssertWork {
  readonly type: "assert";
  readonly severity: "fail" | "warn";
  readonly by: { readonly requirement: string; readonly want: string | null } | { readonly check: string };
  /** Judge every discrete Intel GPU on its own. */
  readonly eachGpu: boolean;
}

export interface RebootWork {
  readonly type: "reboot";
  readonly timeoutMs: number;
  readonly expect: RebootExpectation;
}

/** What must be true once the host is back. */
export interface RebootExpectation {
  readonly uname: string | null;
  readonly paths: readonly string[];
  readonly units: readonly string[];
}
