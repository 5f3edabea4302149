import type { GateSpec, HistorySpec } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { type ForeignFile, foreignRecord } from "../foreign/foreign-record.ts";
import { parseForeign } from "../foreign/parse-foreign.ts";
import { exportVllm } from "../foreign/vllm-export.ts";
import type { HISTORY_FLAGS } from "../inputs/history-options.ts";
import type { OptionValues } from "../inputs/option-table.ts";
import { loadGate } from "../inputs/parse-config.ts";
import { toolVersion } from "../pipeline/tool-version.ts";
import type { World } from "../pipeline/world.ts";
import { parseRunRecords } from "../record/parse-run-record.ts";
import { historyTable } from "../report/history-table.ts";
import { loadPointTable } from "../report/measure-tables.ts";
import type { CommandOutcome } from "./command-outcome.ts";
import { readRecord } from "./compare.ts";
import { readConfigFile } from "./read-config.ts";

export type HistoryFlags = OptionValues<typeof HISTORY_FLAGS>;

/** Shows the records of a history, newest last, and why one cannot be a baseline. */
export async function historyList(flags: HistoryFlags, world: World): Promise<CommandOutcome> {
  const { history } = await place(flags, world);
  const stored = await world.openStore(history).list();
  const { records, problems } = parseRunRecords(stored);
  for (const problem of problems) world.console.warn(problem);
  const text = records.length === 0 ? `There is no record in ${history.path}` : historyTable(records);
  const json = records.map(({ run, host, state, eligible, imported }) => ({
    ...{ run, host, state, eligible },
    imported: imported ?? null,
  }));
  return { exitCode: 0, text, json: { folder: history.path, records: json, problems } };
}

/** Makes one record of result files of another tool and keeps it. The same files give the same record. */
export async function historyImport(
  paths: readonly string[],
  flags: HistoryFlags,
  world: World,
): Promise<CommandOutcome> {
  const { history, gate } = await place(flags, world);
  const files: ForeignFile[] = [];
  for (const path of paths) {
    const text = await readText(path, world);
    files.push({ path, text, results: parseForeign(text, path) });
  }
  const record = foreignRecord(files, {
    host: flags.host ?? "imported",
    workload: flags.workload ?? "imported",
    concurrency: flags.concurrency ?? null,
    minSuccessRatio: gate.minSuccessRatio,
    toolVersion,
    isoNow: world.clock.isoNow(),
  });
  for (const warning of record.warnings) world.console.warn(warning);
  for (const reason of record.validity.reasons) world.console.warn(`Not valid: ${reason}`);
  const kept = await keep(record.host, record.run.id, `${JSON.stringify(record, null, 1)}\n`, history, world);
  return {
    exitCode: 0,
    text: `${loadPointTable(record.points)}\n\nImported from ${record.imported?.tool} as ${kept}`,
    json: { path: kept, record },
  };
}

/** Writes the load points of records in the form of vllm bench serve. */
export async function historyExport(paths: readonly string[], out: string, world: World): Promise<CommandOutcome> {
  const written: string[] = [];
  for (const path of paths) {
    for (const { name, result } of exportVllm(await readRecord(path, world))) {
      await world.files.write(`${out}/${name}`, `${JSON.stringify(result)}\n`);
      written.push(`${out}/${name}`);
    }
  }
  return { exitCode: 0, text: written.map((path) => `Wrote ${path}`).join("\n"), json: { written } };
}

async function place(flags: HistoryFlags, world: World): Promise<{ history: HistorySpec; gate: GateSpec }> {
  const overrides = {
    options: flags.config === undefined ? {} : { config: flags.config },
    label: (name: string) => `--${name}`,
  };
  const { gate, history } = loadGate(await readConfigFile(overrides, world.files), overrides);
  if (flags.folder !== undefined) return { gate, history: { store: "folder", path: flags.folder } };
  return { gate, history: history ?? { store: "folder", path: ".arc-vllm/history" } };
}

async function readText(path: string, world: World): Promise<string> {
  const text = await world.files.read(path);
  if (text !== null) return text;
  throw new AppError("RECORD_INVALID", {
    message: `Cannot import "${path}": there is no such file`,
    hint: "Name the result files that the other tool wrote",
  });
}

/** Files without a date would give a second record at the next import: a name that is there already stays as it is. */
async function keep(host: string, id: string, json: string, history: HistorySpec, world: World): Promise<string> {
  const path = `${history.path}/${host}/${id}.json`;
  if ((await world.files.read(path)) !== null) return path;
  return world.openStore(history).add(`${host}/${id}`, json);
}
