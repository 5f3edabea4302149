import type { VirtualMachine } from "../sim-machine/virtual-machine.ts";
import { type PackageChange, versionsOf } from "./package-state.ts";

/** What `apt-get install` would do. */
export interface AptPlan {
  readonly install: readonly PackageChange[];
  /** Names that were asked for, as opposed to what they depend on. */
  readonly manual: readonly string[];
  readonly notes: readonly string[];
}

export interface AptPlanOptions {
  readonly allowDowngrades: boolean;
  readonly allowHeld: boolean;
}

/** Resolves package words (`name`, `name=version`) and what they depend on, or gives the words apt refuses with. */
export function planInstall(
  machine: VirtualMachine,
  words: readonly string[],
  options: AptPlanOptions,
): AptPlan | { readonly error: string } {
  const install = new Map<string, string>();
  const notes: string[] = [];
  for (const word of words) {
    const [name, wanted] = word.split("=") as [string, string | undefined];
    const problem = choose(machine, name, wanted, options, install, notes);
    if (problem !== null) return { error: problem };
  }
  const ordered = new Map<string, string>();
  for (const [name, version] of install) addInOrder(machine, name, version, install, ordered);
  const manual = words.map((word) => word.split("=")[0] as string);
  return { install: [...ordered].map(([name, version]) => ({ name, version })), manual, notes };
}

function choose(
  machine: VirtualMachine,
  name: string,
  wanted: string | undefined,
  options: AptPlanOptions,
  install: Map<string, string>,
  notes: string[],
): string | null {
  const versions = versionsOf(machine, name).map(({ version }) => version);
  const current = machine.packages.get(name);
  const installed = current?.state === "installed" ? current.version : null;
  if (versions.length === 0 && installed === null) return `E: Unable to locate package ${name}`;
  if (wanted !== undefined && !versions.includes(wanted) && wanted !== installed) {
    return `E: Version '${wanted}' for '${name}' was not found`;
  }
  const target = wanted ?? (current?.held ? (installed ?? versions[0]) : versions[0]) ?? installed;
  if (target === undefined || target === null || target === installed) {
    notes.push(`${name} is already the newest version (${installed}).`);
    return null;
  }
  if (current?.held && !options.allowHeld) {
    return "E: Held packages were changed and -y was used without --allow-change-held-packages.";
  }
  const isDowngrade =
    installed !== null && versions.indexOf(target) > versions.indexOf(installed) && versions.includes(installed);
  if (isDowngrade && !options.allowDowngrades) {
    return "E: Packages were downgraded and -y was used without --allow-downgrades.";
  }
  install.set(name, target);
  return null;
}

/** What a package depends on is configured before it. */
function addInOrder(
  machine: VirtualMachine,
  name: string,
  version: string,
  chosen: ReadonlyMap<string, string>,
  ordered: Map<string, string>,
): void {
  if (ordered.has(name)) return;
  const from = versionsOf(machine, name).find((candidate) => candidate.version === version)?.from;
  for (const dependency of from?.depends ?? []) {
    const wanted = chosen.get(dependency) ?? versionsOf(machine, dependency)[0]?.version;
    const isThere = machine.packages.get(dependency)?.state === "installed" && !chosen.has(dependency);
    if (wanted !== undefined && !isThere) addInOrder(machine, dependency, wanted, chosen, ordered);
  }
  ordered.set(name, version);
}
