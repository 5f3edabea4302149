import "./short-pauses.ts";
import { Command, CommanderError } from "commander";
import { bench } from "../commands/bench.ts";
import { check } from "../commands/check.ts";
import type { CommandOutcome } from "../commands/command-outcome.ts";
import { compare } from "../commands/compare.ts";
import { onlineBenchmark } from "../commands/online-benchmark.ts";
import { provision } from "../commands/provision.ts";
import { readConfig, readConfigFile } from "../commands/read-config.ts";
import { report } from "../commands/report.ts";
import { runCommand } from "../commands/run-command.ts";
import { selfTest } from "../commands/self-test.ts";
import { serve } from "../commands/serve.ts";
import { stop } from "../commands/stop.ts";
import { undo } from "../commands/undo.ts";
import type { RunConfig } from "../config/run-config.ts";
import type { Redactor } from "../core/redact.ts";
import { parseBenchFlags } from "../inputs/bench-flags.ts";
import { BENCH_FLAGS } from "../inputs/bench-options.ts";
import type { OptionSpec } from "../inputs/option-table.ts";
import { loadGate } from "../inputs/parse-config.ts";
import { parseRunOptions, RUN_OPTIONS, type RunOptions } from "../inputs/run-options.ts";
import { parseSelfTestFlags, SELF_TEST_FLAGS } from "../inputs/self-test-options.ts";
import { toolVersion } from "../pipeline/tool-version.ts";
import type { World } from "../pipeline/world.ts";
import { serveParent } from "../truth/truth-process.ts";
import { atTheEdge } from "./cli-edge.ts";
import { addHistoryCommands } from "./cli-history.ts";
import { addOptions, optionTexts } from "./cli-options.ts";
import { addPlayCommands } from "./cli-play.ts";
import { TRUTH_COMMAND } from "./real-world.ts";

const cliLabel = (name: string) => `--${name}`;
const lookUp = (name: string) => process.env[name];

/** Set by the command that ran. */
let exitCode = 0;

const program = new Command("arc-vllm")
  .description("Takes Intel Arc hosts from bare Ubuntu to a tuned, measured and regression-gated vLLM server")
  .version(toolVersion)
  .option("--json", "one JSON value on stdout instead of tables")
  .exitOverride()
  .configureHelp({ helpWidth: 100 })
  .showHelpAfterError("(arc-vllm --help lists the commands)");

configured("run", "check, change, serve, measure, compare and report: the whole pipeline", runCommand, "run");
configured("check", "read the hosts and say what is missing; changes nothing", check, "check --local --diff");
configured(
  "provision",
  "bring the hosts to the state of the playbook",
  provision,
  "provision --hosts arc-01 --tags clocks",
);
configured("undo", "put back what provision changed, last change first", undo, "undo --hosts arc-01");
addPlayCommands(program, edge);
configured("serve", "start the model server and leave it running", serve, "serve --hosts arc-01");
configured("stop", "end the model server that serve or a broken run left", stop, "stop --hosts arc-01");

const benchCommand = program
  .command("bench")
  .description("measure any OpenAI-compatible endpoint")
  .addHelpText("after", example("bench --base-url http://10.0.0.5:8000 --model Llama-3.1 --max-concurrency 1,4,12"));
addOptions(benchCommand, BENCH_FLAGS).action((values) =>
  edge((world, { hide }) => {
    const request = parseBenchFlags(optionTexts(BENCH_FLAGS, values), lookUp);
    if (request.serve.apiKey !== null) hide(request.serve.apiKey);
    return request.isOnlineBenchmark ? onlineBenchmark(request, world) : bench(request, world);
  }),
);

const selfTestCommand = program
  .command("self-test")
  .description("find out how much load this client measures rightly on this machine, in half a minute")
  .addHelpText("after", example("self-test --streams 64 --events-per-second 5000"));
addOptions(selfTestCommand, SELF_TEST_FLAGS).action((values) =>
  edge((world) => selfTest(parseSelfTestFlags(optionTexts(SELF_TEST_FLAGS, values)), world)),
);
program.command(TRUTH_COMMAND, { hidden: true }).action(serveParent);

const compareCommand = program
  .command("compare")
  .description("judge a record that was measured earlier against a baseline record or a folder of records")
  .argument("<baseline>", "record file or folder of records")
  .argument("<current>", "record file to judge")
  .addHelpText("after", example("compare .arc-vllm/history arc-vllm-report/record-42.json"));
const COMPARE_OPTIONS = ["mode", "on-inconclusive", "require-comparison", "allow-imported", "report-dir"];
addOptions(compareCommand, RUN_OPTIONS, COMPARE_OPTIONS).action((baseline: string, current: string, values) =>
  edge(async (world) => {
    const overrides = parseRunOptions({ ...optionTexts(RUN_OPTIONS, values), baseline }, cliLabel);
    const { gate } = loadGate(await readConfigFile(overrides, world.files), overrides);
    return compare({ current, gate, reportDir: overrides.options["report-dir"] ?? null }, world);
  }),
);

program
  .command("report")
  .description("render junit.xml, summary.md and results.json of records again")
  .argument("<records...>", "record files")
  .option("--report-dir <folder>", "where to write them", "arc-vllm-report")
  .addHelpText("after", example("report arc-01/record-7.json arc-02/record-7.json --report-dir all"))
  .action((records: string[], values: { reportDir: string }) =>
    edge((world) => report(records, values.reportDir, world)),
  );

addHistoryCommands(program, edge);

program
  .command("demo")
  .description("the whole pipeline on an embedded, simulated host with two Arc A770; touches nothing")
  .option("--regress", "show the gate going red: something changes on the host between two measurements")
  .option("--report-dir <folder>", "where to write the reports", "arc-vllm-report")
  .addHelpText("after", example("demo --regress"))
  .action((values: { regress?: boolean; reportDir: string }) =>
    edge(async (world) => {
      // A bundle of its own: the embedded host is half of all code and no other command needs it.
      const { demo } = await import("../commands/demo.ts");
      return demo({ regress: values.regress ?? false, reportDir: values.reportDir }, world);
    }),
  );

/** A command that works on the configuration: the file with the options over it. */
function configured(
  name: string,
  description: string,
  command: (config: RunConfig, world: World, options: RunOptions) => Promise<CommandOutcome>,
  usage: string,
): void {
  const sub = program.command(name).description(description).addHelpText("after", example(usage));
  addOptions(sub, RUN_OPTIONS, optionsOf(name)).action((values) =>
    edge(async (world, { hide }) => {
      const overrides = parseRunOptions(optionTexts(RUN_OPTIONS, values), cliLabel);
      const config = await readConfig(overrides, world.files, { lookUp, hide });
      for (const warning of config.warnings) world.console.warn(warning);
      return command(config, world, overrides.options);
    }),
  );
}

function optionsOf(command: string): string[] {
  return Object.entries<OptionSpec>(RUN_OPTIONS)
    .filter(([, { commands }]) => commands?.includes(command) ?? true)
    .map(([name]) => name);
}

function example(usage: string): string {
  return `\nExample:\n  arc-vllm ${usage}`;
}

async function edge(command: (world: World, redactor: Redactor) => Promise<CommandOutcome>): Promise<void> {
  exitCode = await atTheEdge({ json: program.opts()["json"] === true }, command);
}

async function main(): Promise<void> {
  // `arc-vllm … | head` closes our stdout; that is no failure.
  process.stdout.on("error", () => process.exit(exitCode));
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    exitCode = error.exitCode === 0 ? 0 : 2;
  }
  // Idle SSH or HTTP connections must not keep a finished command alive; stdout may be a pipe and has to drain first.
  process.stdout.write("", () => process.exit(exitCode));
}

void main();
