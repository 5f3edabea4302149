import { randomUUID } from "node:crypto";
import { appendFile, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Files } from "../ports/files.ts";

const PIECE_BYTES = 1024 * 1024;

/** The runner's file system. Errors other than "does not exist" reject as Node gives them. */
export const nodeFiles: Files = {
  async read(path) {
    return absentAs(null, ["ENOENT", "ENOTDIR"], () => readFile(path, "utf8"));
  },

  async readPieces(path) {
    const file = await absentAs(null, ["ENOENT", "ENOTDIR"], () => open(path));
    return file === null ? null : file.createReadStream({ encoding: "utf8", highWaterMark: PIECE_BYTES });
  },

  async write(path, text) {
    await mkdir(dirname(path), { recursive: true });
    // In the same folder, since a rename over a mount point is not atomic.
    const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
    try {
      await writeDurably(temporary, text);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
  },

  async append(path, text) {
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, text, "utf8");
  },

  async list(folder) {
    return absentAs([], ["ENOENT", "ENOTDIR"], async () => (await readdir(folder)).sort());
  },

  async remove(path) {
    await rm(path, { force: true });
  },
};

/** Without fsync a rename can reach the disk before the bytes do: after a power cut the file is there and empty. */
async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(text, "utf8");
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the rename itself durable. Some file systems refuse to sync a folder; the file is whole all the same. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => null);
  if (handle === null) return;
  await handle.sync().catch(() => undefined);
  await handle.close();
}

async function absentAs<T>(absent: T, codes: readonly string[], read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Error && "code" in error && codes.includes(String(error.code))) return absent;
    throw error;
  }
}
