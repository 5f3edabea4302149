import type { Command } from "commander";
import type { CommandOutcome } from "../commands/command-outcome.ts";
import { playList, playRender } from "../commands/play.ts";
import { parseRunOptions, RUN_OPTIONS } from "../inputs/run-options.ts";
import type { World } from "../pipeline/world.ts";
import { addOptions, optionTexts } from "./cli-options.ts";

/** `arc-vllm play`: what playbooks are there, and what a playbook runs on hosts. */
export function addPlayCommands(
  program: Command,
  edge: (command: (world: World) => Promise<CommandOutcome>) => Promise<void>,
): void {
  const play = program.command("play").description("look into playbooks; touches no host");
  play
    .command("list")
    .description("playbooks with their steps, kinds and tags")
    .argument("[playbooks...]", "names or paths (default: all that are shipped)")
    .addHelpText("after", "\nExample:\n  arc-vllm play list ubuntu-22.04-a770")
    .action((names: string[]) => edge((world) => playList(names, world)));

  const render = play
    .command("render")
    .description("the scripts that a playbook runs on hosts, with the values that they get")
    .argument("[playbook]", "name, or path that ends in .yml (default: the one of the configuration)")
    .option("--host <name>", "host of the configuration, for its login name and the variables of the file")
    .option("--step <id>", "number or name of the only step to show")
    .addHelpText("after", '\nExample:\n  arc-vllm play render ubuntu-22.04-a770 --step "GPU clock service"');
  addOptions(render, RUN_OPTIONS, ["config"]).action(
    (playbook: string | undefined, values: { host?: string; step?: string; config?: string }) =>
      edge((world) => {
        const overrides = parseRunOptions(optionTexts(RUN_OPTIONS, { config: values.config }), (name) => `--${name}`);
        const request = { playbook: playbook ?? null, host: values.host ?? null, step: values.step ?? null };
        return playRender(request, overrides, world);
      }),
  );
}
