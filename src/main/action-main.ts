import { readFile } from "node:fs/promises";
import * as core from "@actions/core";
import { check } from "../commands/check.ts";
import type { CommandOutcome } from "../commands/command-outcome.ts";
import { compare } from "../commands/compare.ts";
import { provision } from "../commands/provision.ts";
import { readConfig } from "../commands/read-config.ts";
import { requireCurrent } from "../commands/require-current.ts";
import { runOutcome } from "../commands/run-command.ts";
import type { RunConfig } from "../config/run-config.ts";
import { Secret } from "../core/secret.ts";
import { parseActionInputs } from "../inputs/action-inputs.ts";
import { refuseForks } from "../inputs/fork-guard.ts";
import type { Overrides, RunOptions } from "../inputs/run-options.ts";
import { run } from "../pipeline/run.ts";
import type { World } from "../pipeline/world.ts";
import type { Files } from "../ports/files.ts";

/** What the Action does when its step runs: one command, chosen by the input `command`, then outputs and the summary. */
export async function actionMain(world: World, hide: (secret: Secret) => void): Promise<CommandOutcome> {
  const overrides = parseActionInputs(process.env);
  const { options } = overrides;
  // First of all, before anything else can print one of them.
  for (const value of Object.values(options)) if (value instanceof Secret) hide(value);
  const command = options.command ?? "run";
  if (command === "demo") return demoOutcome(options, world);

  refuseForks(await eventFacts(), { allowForkPr: options["allow-fork-pr"] === true, isSimulated: false });
  const config = await readConfig(overrides, world.files, { lookUp: (name) => process.env[name], hide });
  for (const warning of config.warnings) world.console.warn(warning);
  return runConfigured(command, config, overrides, world);
}

type ConfiguredCommand = "run" | "check" | "provision" | "compare";

async function runConfigured(
  command: ConfiguredCommand,
  config: RunConfig,
  { options }: Overrides,
  world: World,
): Promise<CommandOutcome> {
  switch (command) {
    case "check":
      return check(config, world, options);
    case "provision":
      return provision(config, world, options);
    case "compare":
      return withReports(config.report.dir, world.files, () =>
        compare({ current: requireCurrent(options.current), gate: config.gate, reportDir: config.report.dir }, world),
      );
    case "run":
      return withReports(config.report.dir, world.files, async () => {
        const outcome = await run(config, world, options);
        core.setOutput("record-path", outcome.hosts.map(({ recordPath }) => recordPath).join("\n"));
        return runOutcome(outcome, world);
      });
  }
}

async function demoOutcome(options: RunOptions, world: World): Promise<CommandOutcome> {
  const dir = options["report-dir"] ?? "arc-vllm-report";
  const { demo } = await import("../commands/demo.ts");
  return withReports(dir, world.files, () => demo({ regress: false, reportDir: dir }, world));
}

/** The report files become outputs and the step summary, also when the verdict is bad. */
async function withReports(dir: string, files: Files, command: () => Promise<CommandOutcome>): Promise<CommandOutcome> {
  const outcome = await command();
  core.setOutput("report-dir", dir);
  core.setOutput("junit-path", `${dir}/junit.xml`);
  core.setOutput("summary-path", `${dir}/summary.md`);
  core.setOutput("results-path", `${dir}/results.json`);
  const summary = await files.read(`${dir}/summary.md`);
  if (summary !== null && process.env["GITHUB_STEP_SUMMARY"]) await core.summary.addRaw(summary, true).write();
  return outcome;
}

async function eventFacts() {
  const path = process.env["GITHUB_EVENT_PATH"] ?? "";
  const text = path === "" ? "{}" : await readFile(path, "utf8").catch(() => "{}");
  return {
    eventName: process.env["GITHUB_EVENT_NAME"] ?? "",
    repository: process.env["GITHUB_REPOSITORY"] ?? "",
    payload: parseJson(text),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
