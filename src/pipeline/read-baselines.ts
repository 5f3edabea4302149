import type { HistorySpec, RunConfig } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { parseBaseline, parseRunRecords } from "../record/parse-run-record.ts";
import type { RunRecord } from "../record/run-record.ts";
import type { World } from "./world.ts";

export interface Baselines {
  readonly records: readonly RunRecord[];
  /** Where they come from, for messages. */
  readonly place: string;
}

/**
 * The records that a run may be compared with: the file or folder that the user named, else the history.
 * A named file that is missing or broken throws BASELINE_INVALID; a broken file in a folder costs one warning.
 */
export async function readBaselines(config: Pick<RunConfig, "gate" | "history">, world: World): Promise<Baselines> {
  const { baseline } = config.gate;
  if (baseline?.endsWith(".json")) return { records: [await readFile(baseline, world)], place: baseline };
  const folder = baseline === null ? config.history : ({ store: "folder", path: baseline } as const);
  return folder === null ? { records: [], place: "the baseline (none is configured)" } : readFolder(folder, world);
}

async function readFile(path: string, world: World): Promise<RunRecord> {
  const text = await world.files.read(path);
  if (text !== null) return parseBaseline(text, path);
  throw new AppError("BASELINE_INVALID", {
    message: `Cannot read baseline "${path}": there is no such file, a record or a folder of records is wanted`,
    hint: "Give the record-….json of an earlier run, or leave the baseline out to start a history",
  });
}

async function readFolder(folder: HistorySpec, world: World): Promise<Baselines> {
  const { records, problems } = parseRunRecords(await world.openStore(folder).list());
  for (const problem of problems) world.console.warn(problem);
  return { records, place: folder.path };
}
