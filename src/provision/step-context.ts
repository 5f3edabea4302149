import { varsEnv } from "../playbook/compile-playbook.ts";
import type { Playbook } from "../playbook/playbook.ts";
import type { Clock } from "../ports/clock.ts";
import type { Console } from "../ports/console.ts";
import type { Shell } from "../ports/shell.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import type { HostLease } from "./host-lease.ts";

/** Everything that work on one host needs. */
export interface StepContext {
  readonly shell: Shell;
  readonly clock: Clock;
  readonly console: Console;
  readonly playbook: Playbook;
  readonly signal?: AbortSignal;
  /** Folder that stands for / on the host; empty on every real host. */
  readonly root?: string;
  /** Names the folder of this run below /var/lib/arc-vllm/runs. */
  readonly runId: string;
  /** Null where the host cannot be or is not locked. */
  readonly lease: HostLease | null;
  /** Gets the facts whenever they are read anew. */
  readonly onFacts?: (facts: HostFacts) => void;
}

/** Where a run keeps what `undo` needs. Only root can write there, so runs without root keep nothing. */
export function runFolder({ playbook, root, runId }: Pick<StepContext, "playbook" | "root" | "runId">): string {
  return playbook.become ? `${root ?? ""}${RUNS_FOLDER}/${runId}` : "";
}

export const RUNS_FOLDER = "/var/lib/arc-vllm/runs";

/** Values that every step script sees, besides those of its own step. */
export function ambientEnv(
  { playbook, root }: { playbook: Playbook; root?: string | undefined },
  facts: HostFacts,
): Record<string, string> {
  return {
    ...varsEnv(playbook),
    ARC_ROOT: root ?? "",
    ARC_LOGIN_USER: facts.login.user ?? "root",
    ARC_RUN_DIR: "",
    ARC_STEP_DIR: "",
  };
}

/** Run options with the signal only when there is one. */
export function runOptions(context: { readonly signal?: AbortSignal | undefined }, timeoutMs: number) {
  return context.signal === undefined ? { timeoutMs } : { timeoutMs, signal: context.signal };
}
