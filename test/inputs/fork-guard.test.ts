import { describe, expect, it } from "vitest";
import { forkDanger, refuseForks } from "../../src/inputs/fork-guard.ts";

const repository = "octo/serving";

function pullRequest(from: string | null) {
  return { pull_request: { head: { repo: from === null ? null : { full_name: from } } } };
}

function afterRun(event: string, from: string) {
  return { workflow_run: { event, head_repository: { full_name: from } } };
}

describe("forkDanger()", () => {
  it.each([
    { eventName: "pull_request", payload: pullRequest("stranger/serving"), from: "stranger/serving" },
    { eventName: "pull_request_target", payload: pullRequest("stranger/serving"), from: "stranger/serving" },
    { eventName: "pull_request_review", payload: pullRequest("stranger/serving"), from: "stranger/serving" },
    { eventName: "pull_request", payload: pullRequest(null), from: "a fork that no longer exists" },
    { eventName: "pull_request", payload: null, from: "a fork that no longer exists" },
    { eventName: "workflow_run", payload: afterRun("pull_request", "stranger/serving"), from: "stranger/serving" },
    { eventName: "issue_comment", payload: { issue: { pull_request: {} } }, from: "issue_comment" },
  ])("sees the fork behind $eventName from $from", ({ eventName, payload, from }) => {
    expect(forkDanger({ eventName, repository, payload })).toContain(from);
  });

  it.each([
    { name: "a push", eventName: "push", payload: {} },
    { name: "a schedule", eventName: "schedule", payload: {} },
    {
      name: "a pull request of the repository itself",
      eventName: "pull_request",
      payload: pullRequest("Octo/Serving"),
    },
    { name: "a run after a push", eventName: "workflow_run", payload: afterRun("push", "octo/serving") },
    {
      name: "a run after its own pull request",
      eventName: "workflow_run",
      payload: afterRun("pull_request", repository),
    },
    { name: "a comment on an issue", eventName: "issue_comment", payload: { issue: {} } },
  ])("sees no fork behind $name", ({ eventName, payload }) => {
    expect(forkDanger({ eventName, repository, payload })).toBeNull();
  });
});

describe("refuseForks()", () => {
  const fork = { eventName: "pull_request", repository, payload: pullRequest("stranger/serving") };

  it("refuses a fork on a real host and says what is possible instead", () => {
    expect(() => refuseForks(fork, { allowForkPr: false, isSimulated: false })).toThrow(
      expect.objectContaining({ code: "FORK_REFUSED", hint: expect.stringContaining("allow-fork-pr") }),
    );
  });

  it.each([
    { name: "the embedded host", options: { allowForkPr: false, isSimulated: true } },
    { name: "a fork that was allowed", options: { allowForkPr: true, isSimulated: false } },
  ])("lets $name through", ({ options }) => {
    expect(() => refuseForks(fork, options)).not.toThrow();
  });
});
