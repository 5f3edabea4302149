import type { Command } from "commander";
import type { CommandOutcome } from "../commands/command-outcome.ts";
import { historyExport, historyImport, historyList } from "../commands/history.ts";
import { HISTORY_FLAGS } from "../inputs/history-options.ts";
import { parseOptions } from "../inputs/option-table.ts";
import type { World } from "../pipeline/world.ts";
import { addOptions, optionTexts } from "./cli-options.ts";

/** `arc-vllm history`: the records that baselines are chosen from. */
export function addHistoryCommands(
  program: Command,
  edge: (command: (world: World) => Promise<CommandOutcome>) => Promise<void>,
): void {
  const history = program.command("history").description("look into the records that baselines are chosen from");
  const flagsOf = (values: Record<string, unknown>) =>
    parseOptions(HISTORY_FLAGS, optionTexts(HISTORY_FLAGS, values), (name) => `--${name}`);

  const list = history
    .command("list")
    .description("records, and which of them may be baselines")
    .addHelpText("after", "\nExample:\n  arc-vllm history list");
  addOptions(list, HISTORY_FLAGS, ["config", "folder"]).action((values) =>
    edge((world) => historyList(flagsOf(values), world)),
  );

  const add = history
    .command("import")
    .description("make one record of results of vllm bench serve, AIPerf, GuideLLM, inference-perf, SGLang or ipex-llm")
    .argument("<files...>", "result files of one tool: levels and repeats of one measurement")
    .addHelpText(
      "after",
      "\nThe tool is told by the content. A level that is there twice is a repeat. docs/measuring.md says what each tool\nmeasures otherwise.\n\nExample:\n  arc-vllm history import night-1.json night-2.json --host arc-01 --workload chat-1k",
    );
  addOptions(add, HISTORY_FLAGS, ["config", "folder", "host", "workload", "concurrency"]).action(
    (files: string[], values) => edge((world) => historyImport(files, flagsOf(values), world)),
  );

  const take = history
    .command("export")
    .description("write the load points of records as vllm bench serve does, one JSON file each")
    .argument("<records...>", "record files")
    .addHelpText("after", "\nExample:\n  arc-vllm history export arc-vllm-report/record-42.json --out vllm-json");
  addOptions(take, HISTORY_FLAGS, ["out"]).action((records: string[], values) =>
    edge((world) => historyExport(records, flagsOf(values).out ?? ".", world)),
  );
}
