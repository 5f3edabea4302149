import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeFiles } from "../../src/adapters/node-files.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "arc-vllm-files-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("nodeFiles", () => {
  it("write() makes the folders above, and read() gives the text back", async () => {
    const path = join(folder, "a/b/report.json");
    await nodeFiles.write(path, "größer\n");
    expect(await nodeFiles.read(path)).toBe("größer\n");
  });

  it("readPieces() gives a text piece by piece, no character cut in half, and null for no file", async () => {
    const path = join(folder, "large.txt");
    const text = `${"x".repeat(1024 * 1024 - 1)}ö${"y".repeat(1024 * 1024)}`;
    await nodeFiles.write(path, text);
    const pieces: string[] = [];
    for await (const piece of (await nodeFiles.readPieces?.(path)) ?? []) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join("")).toBe(text);
    expect(await nodeFiles.readPieces?.(join(folder, "none"))).toBeNull();
  });

  it("write() replaces whole files and leaves nothing else behind", async () => {
    const path = join(folder, "record.json");
    await nodeFiles.write(path, "a much longer first text");
    await nodeFiles.write(path, "short");
    expect(await nodeFiles.read(path)).toBe("short");
    expect(await readdir(folder)).toEqual(["record.json"]);
  });

  it("write() leaves the old text and no temporary file when it cannot finish", async () => {
    await nodeFiles.write(join(folder, "taken/inside"), "x");
    await expect(nodeFiles.write(join(folder, "taken"), "y")).rejects.toThrow();
    expect(await readdir(folder)).toEqual(["taken"]);
  });

  it("readers never see half a file while it is rewritten", async () => {
    const path = join(folder, "record.json");
    const texts = ["a", "b", "c", "d"].map((letter) => letter.repeat(200_000));
    await nodeFiles.write(path, texts[0] ?? "");
    const writing = Promise.all(texts.map((text) => nodeFiles.write(path, text)));
    const seen = await Promise.all(Array.from({ length: 40 }, () => nodeFiles.read(path)));
    await writing;
    expect(seen.every((text) => texts.includes(text ?? ""))).toBe(true);
  });

  it("read(), list() and remove() take a missing file or folder as nothing", async () => {
    expect(await nodeFiles.read(join(folder, "none.json"))).toBeNull();
    expect(await nodeFiles.list(join(folder, "none"))).toEqual([]);
    await nodeFiles.remove(join(folder, "none.json"));
  });

  it("list() is sorted and empty for a file", async () => {
    await writeFile(join(folder, "b"), "");
    await writeFile(join(folder, "a"), "");
    expect(await nodeFiles.list(folder)).toEqual(["a", "b"]);
    expect(await nodeFiles.list(join(folder, "a"))).toEqual([]);
  });

  it("append() adds to the end and starts the file when there is none", async () => {
    const path = join(folder, "log/requests.jsonl");
    await nodeFiles.append(path, "1\n");
    await nodeFiles.append(path, "2\n");
    expect(await nodeFiles.read(path)).toBe("1\n2\n");
  });

  it("read() of a folder rejects instead of calling it missing", async () => {
    await expect(nodeFiles.read(folder)).rejects.toThrow("EISDIR");
  });
});
