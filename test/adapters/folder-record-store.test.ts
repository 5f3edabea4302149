import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { folderRecordStore } from "../../src/adapters/folder-record-store.ts";
import { nodeFiles } from "../../src/adapters/node-files.ts";
import { parseRunRecords } from "../../src/record/parse-run-record.ts";
import { exampleRecord } from "../fakes/example-record.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "arc-vllm-store-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function record(id: string, startedAt: string): string {
  const base = exampleRecord();
  return JSON.stringify({ ...base, run: { ...base.run, id, startedAt } });
}

describe("folderRecordStore()", () => {
  it("list() is empty when the folder does not exist", async () => {
    expect(await folderRecordStore(join(folder, "none"), nodeFiles).list()).toEqual([]);
  });

  it("lists what was added, oldest first, whatever the names and folders are", async () => {
    const store = folderRecordStore(join(folder, "history"), nodeFiles);
    await store.add("arc-02/a", record("a", "2026-09-24T02:00:00.000Z"));
    await store.add("z", record("z", "2026-09-22T02:00:00.000Z"));
    await store.add("arc-01/b", record("b", "2026-09-23T02:00:00.000Z"));
    const { records } = parseRunRecords(await store.list());
    expect(records.map(({ run }) => run.id)).toEqual(["z", "b", "a"]);
  });

  it("add() never rewrites: another record of the same name gets its own file, the same text none", async () => {
    const store = folderRecordStore(folder, nodeFiles);
    expect(await store.add("arc-01/run", '{"n":1}')).toBe(`${folder}/arc-01/run.json`);
    expect(await store.add("arc-01/run", '{"n":1}')).toBe(`${folder}/arc-01/run.json`);
    expect(await store.add("arc-01/run", '{"n":2}')).toBe(`${folder}/arc-01/run-2.json`);
    expect(await store.list()).toHaveLength(2);
  });

  it("a corrupt file is reported by its path and costs only itself", async () => {
    const store = folderRecordStore(folder, nodeFiles);
    await store.add("good", record("good", "2026-09-24T02:00:00.000Z"));
    await nodeFiles.write(join(folder, "arc-01/cut.json"), '{"schema":"arc-vllm/v1","run":{');
    const { records, problems } = parseRunRecords(await store.list());
    expect(records.map(({ run }) => run.id)).toEqual(["good"]);
    expect(problems).toEqual([
      `Cannot read record "${folder}/arc-01/cut.json": it is not JSON (line 1, column 32), a JSON object is wanted`,
    ]);
  });

  it("skips what an interrupted write left behind", async () => {
    await nodeFiles.write(join(folder, ".run.json.1234.tmp"), "{");
    await nodeFiles.write(join(folder, ".hidden.json"), "{");
    expect(await folderRecordStore(folder, nodeFiles).list()).toEqual([]);
  });

  it.each(["../outside", "a/../../b", "", "a/b/c", "/etc/passwd", ".hidden"])(
    "add() refuses the name %j",
    async (name) => {
      await expect(folderRecordStore(folder, nodeFiles).add(name, "{}")).rejects.toMatchObject({
        code: "RECORD_INVALID",
      });
    },
  );

  it("add() keeps odd characters of a host name out of the path", async () => {
    expect(await folderRecordStore(folder, nodeFiles).add("arc 01:a/run#1", "{}")).toBe(
      `${folder}/arc_01_a/run_1.json`,
    );
  });
});
