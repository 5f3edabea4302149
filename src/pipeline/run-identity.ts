import { getExecOutput } from "@actions/exec";
import type { RunIdentity, SourceIdentity } from "../record/run-record.ts";
import { toolVersion } from "./tool-version.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Who runs this, from GitHub's environment; outside GitHub a command line run with an id of its start time. */
export function runIdentity(env: Environment, startedAt: string): Omit<RunIdentity, "endedAt"> {
  const runId = env["GITHUB_RUN_ID"];
  const base = { startedAt, toolVersion };
  if (env["GITHUB_ACTIONS"] !== "true" || runId === undefined) {
    const stamp = startedAt.replace(/[^0-9]/g, "");
    return { ...base, id: `cli-${stamp}-${process.pid}`, attempt: 1, url: null, trigger: "cli" };
  }
  const attempt = Number(env["GITHUB_RUN_ATTEMPT"] ?? "1");
  const server = env["GITHUB_SERVER_URL"];
  const repo = env["GITHUB_REPOSITORY"];
  return {
    ...base,
    id: [runId, attempt, env["GITHUB_JOB"], env["GITHUB_ACTION"]].filter((part) => part !== undefined).join("-"),
    attempt,
    url: server !== undefined && repo !== undefined ? `${server}/${repo}/actions/runs/${runId}` : null,
    trigger: TRIGGERS[env["GITHUB_EVENT_NAME"] ?? ""] ?? "dispatch",
  };
}

/** Which commit is measured: from GitHub's environment, else from git in the working folder; null outside a repository. */
export async function sourceIdentity(env: Environment): Promise<SourceIdentity | null> {
  if (env["GITHUB_SHA"] !== undefined) {
    return {
      repo: env["GITHUB_REPOSITORY"] ?? null,
      branch: env["GITHUB_HEAD_REF"] || (env["GITHUB_REF_NAME"] ?? null),
      sha: env["GITHUB_SHA"],
    };
  }
  const sha = await git("rev-parse", "HEAD");
  return sha === null ? null : { repo: null, branch: await git("rev-parse", "--abbrev-ref", "HEAD"), sha };
}

const TRIGGERS: Readonly<Record<string, RunIdentity["trigger"]>> = {
  schedule: "schedule",
  pull_request: "pull_request",
  pull_request_target: "pull_request",
  push: "push",
  workflow_dispatch: "dispatch",
};

async function git(...args: string[]): Promise<string | null> {
  try {
    const result = await getExecOutput("git", args, { silent: true, ignoreReturnCode: true });
    return result.exitCode === 0 ? result.stdout.trim() : null;
  } catch {
    return null;
  }
}
