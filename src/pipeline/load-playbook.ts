import { dirname, join } from "node:path";
import type { PlaybookRef } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { type Playbook, parsePlaybook, playbookSources } from "../playbook/parse-playbook.ts";
import { selectSteps } from "../playbook/select-steps.ts";
import type { World } from "./world.ts";

/** Reads a playbook, a path when it ends in .yml or .yaml, else one of those shipped in playbooks/; and chooses its steps. */
export async function loadPlaybook(ref: PlaybookRef, world: World): Promise<Playbook> {
  const path = /\.ya?ml$/.test(ref.name) ? ref.name : join(shippedFolder(world), `${ref.name}.yml`);
  const text = await world.files.read(path);
  if (text === null) {
    throw new AppError("PLAYBOOK_INVALID", {
      message: `Cannot read playbook "${ref.name}": there is no file "${path}"`,
      hint: `Name one of ${(await shippedPlaybooks(world)).join(", ")}, or a path that ends in .yml`,
    });
  }
  const playbook = parsePlaybook(text, path, ref.vars, await readSources(text, dirname(path), world));
  return selectSteps(playbook, ref.tags ?? [], ref.skipTags ?? []);
}

/** Names of the playbooks that come with the product. */
export async function shippedPlaybooks(world: World): Promise<string[]> {
  const files = await world.files.list(shippedFolder(world));
  return files.filter((file) => file.endsWith(".yml")).map((file) => file.replace(/\.yml$/, ""));
}

function shippedFolder({ productRoot }: World): string {
  return join(productRoot, "playbooks");
}

/** Files that the playbook installs, which lie beside it. One that is missing is left to the playbook's own check. */
async function readSources(text: string, folder: string, world: World): Promise<ReadonlyMap<string, string>> {
  const sources = new Map<string, string>();
  for (const name of playbookSources(text)) {
    const content = await world.files.read(join(folder, name));
    if (content !== null) sources.set(name, content);
  }
  return sources;
}
