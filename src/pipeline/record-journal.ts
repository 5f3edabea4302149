import { AppError } from "../core/app-error.ts";
import type { Files } from "../ports/files.ts";
import type { RunRecord } from "../record/run-record.ts";

/** The record of one run, on disk at every moment: whatever ends the process, the last stage that finished is there. */
export interface RecordJournal {
  readonly record: RunRecord;
  readonly path: string;
  /** Adds what a stage produced and writes the whole record atomically. */
  update(add: (record: RunRecord) => RunRecord): Promise<void>;
}

export async function startJournal(initial: RunRecord, folder: string, files: Files): Promise<RecordJournal> {
  const path = `${folder}/record-${initial.run.id.replaceAll(/[^A-Za-z0-9._-]/g, "_")}.json`;
  let record = initial;
  const write = async () => {
    try {
      await files.write(path, `${JSON.stringify(record, null, 1)}\n`);
    } catch (cause) {
      throw new AppError("REPORT_NOT_WRITTEN", {
        message: `Cannot write the record "${path}"`,
        hint: "Check that the report folder can be written and that the disk is not full",
        cause,
      });
    }
  };
  await write();
  return {
    path,
    get record() {
      return record;
    },
    async update(add) {
      record = add(record);
      await write();
    },
  };
}
