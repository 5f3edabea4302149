import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds playbooks/: the parent of dist/ in a bundle, the repository from source. */
export function productRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "playbooks")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
