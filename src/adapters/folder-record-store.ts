import { AppError } from "../core/app-error.ts";
import type { Files } from "../ports/files.ts";
import type { RecordStore, StoredText } from "../ports/record-store.ts";

/**
 * Records as files in a folder, `<path>/<anything>.json` or one folder deeper (`<path>/<host>/<run id>.json`).
 * Texts are given as they are: a corrupt file is listed (first) and its reader says what is wrong with it.
 */
export function folderRecordStore(path: string, files: Files): RecordStore {
  return {
    async list() {
      const names = await files.list(path);
      const nested = await Promise.all(names.filter(isFolderName).map((name) => jsonPaths(`${path}/${name}`, files)));
      const paths = [...names.filter(isJson).map((name) => `${path}/${name}`), ...nested.flat()];
      const texts = await Promise.all(paths.map((file) => readText(file, files)));
      return texts.flat().sort((a, b) => startedAt(a).localeCompare(startedAt(b)) || a.path.localeCompare(b.path));
    },

    async add(name, json) {
      const stem = `${path}/${safeName(name)}`;
      for (let copy = 1; ; copy += 1) {
        const file = copy === 1 ? `${stem}.json` : `${stem}-${copy}.json`;
        const existing = await files.read(file);
        if (existing === json) return file;
        if (existing === null) {
          await files.write(file, json);
          return file;
        }
      }
    },
  };
}

async function jsonPaths(folder: string, files: Files): Promise<string[]> {
  return (await files.list(folder)).filter(isJson).map((name) => `${folder}/${name}`);
}

/** Empty when the file went away between the listing and the reading. */
async function readText(path: string, files: Files): Promise<StoredText[]> {
  const json = await files.read(path);
  return json === null ? [] : [{ path, json }];
}

/** Hidden files are leftovers of a write that was cut off. */
function isJson(name: string): boolean {
  return name.endsWith(".json") && !name.startsWith(".");
}

function isFolderName(name: string): boolean {
  return !name.endsWith(".json") && !name.startsWith(".");
}

function startedAt({ json }: StoredText): string {
  try {
    return String(JSON.parse(json).run.startedAt);
  } catch {
    return "";
  }
}

/** A host name or a run id becomes a path here, so it must not be able to leave the folder. */
function safeName(name: string): string {
  const parts = name
    .replace(/\.json$/, "")
    .split("/")
    .map((part) => part.replaceAll(/[^A-Za-z0-9._-]/g, "_"));
  if (parts.length > 2 || parts.some((part) => part === "" || part.startsWith("."))) {
    throw new AppError("RECORD_INVALID", {
      message: `Cannot store the record "${name}": a name or <folder>/<name> without leading dots is wanted`,
      hint: "Rename the host or the workload in the configuration",
    });
  }
  return parts.join("/");
}
