import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { folderRecordStore } from "../../src/adapters/folder-record-store.ts";
import { compare } from "../../src/commands/compare.ts";
import { historyExport, historyImport, historyList } from "../../src/commands/history.ts";
import type { World } from "../../src/pipeline/world.ts";
import { exampleGate } from "../fakes/example-record.ts";
import { type FakeConsole, fakeConsole } from "../fakes/fake-console.ts";
import { fakeWorld } from "../fakes/fake-world.ts";

const CASES = resolve(import.meta.dirname, "../cases/import");

/** A world whose disk is a map: the case files, and what commands write. */
function world(texts: Readonly<Record<string, string>> = {}) {
  const disk = new Map(Object.entries(texts));
  for (const name of ["vllm/chat-detailed.json", "aiperf/concurrency.json"]) {
    disk.set(name, readFileSync(`${CASES}/${name}`, "utf8"));
  }
  const files: World["files"] = {
    read: async (path) => disk.get(path) ?? null,
    write: async (path, text) => void disk.set(path, text),
    append: async (path, text) => void disk.set(path, (disk.get(path) ?? "") + text),
    list: async (folder) => [
      ...new Set(
        [...disk.keys()]
          .filter((path) => path.startsWith(`${folder}/`))
          .map((path) => path.slice(folder.length + 1).split("/")[0] ?? ""),
      ),
    ],
    remove: async (path) => void disk.delete(path),
  };
  const console: FakeConsole = fakeConsole();
  const here: World = { ...fakeWorld({}, {}), files, console, openStore: ({ path }) => folderRecordStore(path, files) };
  return { here, disk, console };
}

describe("history", () => {
  it("imports, lists, compares and exports results of another tool", async () => {
    const { here, disk, console } = world();
    const flags = { host: "arc-01", workload: "chat" };
    await historyImport(["vllm/chat-detailed.json"], flags, here);
    const kept = [...disk.keys()].find((path) => path.startsWith(".arc-vllm/history/arc-01/vllm-bench-serve-"));
    expect(console.lines.join("\n")).toContain("only a role");

    expect((await historyList({}, here)).text).toContain("with allow-imported");
    const imported = await historyImport(["aiperf/concurrency.json"], { ...flags, folder: "aiperf" }, here);
    const { path } = imported.json as { path: string };
    const gate = exampleGate({ baseline: ".arc-vllm/history" });
    const refused = await compare({ current: path, gate, reportDir: null }, here);
    expect(refused.decision?.status).toBe("CALIBRATING");
    const allowed = await compare({ current: path, gate: { ...gate, allowImported: true }, reportDir: null }, here);
    expect(allowed.decision?.status).toBe("REGRESSION");

    await historyExport([kept ?? ""], "out", here);
    expect([...disk.keys()].filter((name) => name.startsWith("out/"))).toHaveLength(1);
  });

  it("makes no second record of the same files", async () => {
    const { here, disk } = world();
    const importOnce = async () => (await historyImport(["aiperf/concurrency.json"], {}, here)).json;
    expect(await importOnce()).toMatchObject({ path: ((await importOnce()) as { path: string }).path });
    expect([...disk.keys()].filter((name) => name.startsWith(".arc-vllm/"))).toHaveLength(1);
  });

  it("goes by the folder of the configuration", async () => {
    const { here, disk } = world({ "arc-vllm.yml": "version: 1\nhistory: {path: kept}\n" });
    await historyImport(["aiperf/concurrency.json"], {}, here);
    expect([...disk.keys()].some((name) => name.startsWith("kept/imported/aiperf-"))).toBe(true);
  });

  it("names a file that is not there, and says when there is no record", async () => {
    const { here } = world();
    await expect(historyImport(["nope.json"], {}, here)).rejects.toThrow(/"nope.json": there is no such file/);
    expect((await historyList({ folder: "none" }, here)).text).toBe("There is no record in none");
  });
});
