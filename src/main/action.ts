import "./short-pauses.ts";
import * as core from "@actions/core";
import { actionsConsole } from "../adapters/actions-console.ts";
import type { CommandOutcome } from "../commands/command-outcome.ts";
import { exitCodeOf } from "../core/app-error.ts";
import { formatFailure } from "../core/format-failure.ts";
import { createRedactor, type Redactor } from "../core/redact.ts";
import type { Secret } from "../core/secret.ts";
import { toolVersion } from "../pipeline/tool-version.ts";
import type { World } from "../pipeline/world.ts";
import { actionMain } from "./action-main.ts";
import { actionPost, type RememberedServer } from "./action-post.ts";
import { abortOnSignals } from "./cancellation.ts";
import { realWorld } from "./real-world.ts";

type HideSecret = (secret: Secret) => void;

const IS_POST = "is-post";
const SERVERS = "servers";

/** The same file is main and post: the state that main leaves tells them apart. */
async function main(): Promise<void> {
  const isPost = core.getState(IS_POST) === "true";
  core.saveState(IS_POST, "true");
  const redactor = createRedactor();
  const console = actionsConsole({ redactor });
  const world = { ...(await realWorld(console, abortOnSignals())), rememberServer: rememberInState() };
  if (isPost) await post(world, console.hideSecret);
  else process.exitCode = await step(world, console.hideSecret, redactor);
  console.finish();
}

async function step(world: World, hide: HideSecret, redactor: Redactor): Promise<number> {
  world.console.info(
    `arc-vllm ${toolVersion} (${process.env["GITHUB_ACTION_REF"] || "no ref"}), node ${process.version}`,
  );
  try {
    const outcome = await actionMain(world, hide);
    world.console.endGroup();
    world.console.info(outcome.text);
    setVerdictOutputs(outcome);
    if (outcome.exitCode !== 0) core.setFailed(redactor.clean(lastLine(outcome.text)));
    return outcome.exitCode;
  } catch (error) {
    world.console.endGroup();
    core.setOutput("verdict", "INVALID");
    core.setFailed(redactor.clean(formatFailure(error)));
    return exitCodeOf(error);
  }
}

async function post(world: World, hide: HideSecret): Promise<void> {
  try {
    await actionPost(JSON.parse(core.getState(SERVERS) || "[]") as RememberedServer[], world, hide);
  } catch (error) {
    world.console.warn(`Cannot clean up: ${formatFailure(error)}`);
  }
}

/** Saved before a server is started, so that post knows of it whatever happens to main. */
function rememberInState(): World["rememberServer"] {
  const servers: RememberedServer[] = [];
  return (host, port) => {
    servers.push({ host, port });
    core.saveState(SERVERS, JSON.stringify(servers));
  };
}

function setVerdictOutputs({ decision }: CommandOutcome): void {
  if (decision === undefined) return;
  core.setOutput("verdict", decision.status);
  core.setOutput("comparison-count", decision.comparisonCount);
  core.setOutput("regressed-metrics", decision.regressedMetrics.join("\n"));
  core.setOutput("mde-max", decision.mdeMaxPct?.toFixed(1) ?? "");
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? text;
}

void main().finally(() => {
  // Idle connections must not keep the step alive; stdout has to drain first.
  process.stdout.write("", () => process.exit());
});
