import { AppError } from "../core/app-error.ts";

/** What GitHub says about the run, from GITHUB_EVENT_NAME and the file at GITHUB_EVENT_PATH. */
export interface EventFacts {
  readonly eventName: string;
  /** owner/name of the repository the workflow runs in. */
  readonly repository: string;
  /** The parsed event; anything, since it comes from outside. */
  readonly payload: unknown;
}

/**
 * Why this run would let a stranger's code reach a real host, or null. Rules as in actions/checkout v7: a pull request
 * from a fork, also when it comes by way of `pull_request_target` or `workflow_run`.
 */
export function forkDanger({ eventName, repository, payload }: EventFacts): string | null {
  if (PULL_REQUEST_EVENTS.has(eventName)) {
    const head = textAt(payload, ["pull_request", "head", "repo", "full_name"]);
    if (isSame(head, repository)) return null;
    // The repository of the head is null when the fork was deleted meanwhile.
    return `event "${eventName}" is a pull request from ${head ?? "a fork that no longer exists"}`;
  }
  if (eventName === "workflow_run") {
    const trigger = textAt(payload, ["workflow_run", "event"]) ?? "";
    const head = textAt(payload, ["workflow_run", "head_repository", "full_name"]);
    if (!PULL_REQUEST_EVENTS.has(trigger) || isSame(head, repository)) return null;
    return `event "workflow_run" follows a pull request from ${head ?? "a fork that no longer exists"}`;
  }
  // A comment on a pull request says nothing about where the code of that pull request comes from.
  if (eventName === "issue_comment" && valueAt(payload, ["issue", "pull_request"]) !== undefined) {
    return 'event "issue_comment" is on a pull request that may come from a fork';
  }
  return null;
}

/** Throws FORK_REFUSED when the run would give a fork's code a real host and nobody allowed that. */
export function refuseForks(facts: EventFacts, options: { allowForkPr: boolean; isSimulated: boolean }): void {
  const danger = forkDanger(facts);
  if (danger === null || options.allowForkPr || options.isSimulated) return;
  throw new AppError("FORK_REFUSED", {
    message: `Cannot use a real host: ${danger}, whose author chooses what runs there`,
    hint: 'Measure forks on the embedded host ("command: demo"), after a merge, or set "allow-fork-pr: true" if every author is trusted',
  });
}

const PULL_REQUEST_EVENTS: ReadonlySet<string> = new Set([
  "pull_request",
  "pull_request_target",
  "pull_request_review",
  "pull_request_review_comment",
]);

function isSame(head: string | null, repository: string): boolean {
  return head !== null && head.toLowerCase() === repository.toLowerCase();
}

function textAt(value: unknown, path: readonly string[]): string | null {
  const found = valueAt(value, path);
  return typeof found === "string" ? found : null;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, key)) return undefined;
    return (inner as Record<string, unknown>)[key];
  }, value);
}
