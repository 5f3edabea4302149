import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Playbook, parsePlaybook, playbookSources } from "../../src/playbook/parse-playbook.ts";

const folder = join(import.meta.dirname, "../../playbooks");

/** A playbook of playbooks/, with its files. */
export function shippedPlaybook(name: string, vars: Record<string, string> = {}): Playbook {
  const text = readFileSync(join(folder, name), "utf8");
  const sources = playbookSources(text).map((file) => [file, readFileSync(join(folder, file), "utf8")] as const);
  return parsePlaybook(text, `playbooks/${name}`, vars, new Map(sources));
}

/** A playbook with these steps, given as YAML below `steps:`. */
export function smallPlaybook(steps: string, head = ""): Playbook {
  return parsePlaybook(`version: 1\nname: small\nbecome: true\n${head}steps:\n${steps}`, "small.yml", {});
}
