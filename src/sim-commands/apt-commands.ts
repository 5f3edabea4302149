import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "../sim-machine/stand-in.ts";
import type { VirtualMachine } from "../sim-machine/virtual-machine.ts";
import { type AptPlan, planInstall } from "./apt-plan.ts";
import { installPackage, offered, removePackage, versionsOf } from "./package-state.ts";

export const aptCommands: Readonly<Record<string, StandIn>> = {
  "apt-get": aptGet,
  apt: aptGet,
  "apt-cache": aptCache,
  "apt-mark": aptMark,
};

const VALUE_OPTIONS = ["-o", "-t", "-c", "--option"];

async function aptGet(call: Call): Promise<CommandResult> {
  const { options, operands } = splitOptions(call.args, VALUE_OPTIONS);
  const [action, ...words] = operands;
  const simulate = ["-s", "--simulate", "--dry-run", "--just-print"].some((name) => options.has(name));
  if (!simulate) {
    const refused = lockProblem(call);
    if (refused) return refused;
  }
  switch (action) {
    case "update":
      return update(call.machine);
    case "install":
      return install(call, words, options, simulate);
    case "remove":
    case "purge":
      return remove(call.machine, words, action === "purge" || options.has("--purge"), simulate);
    case "autoremove":
    case "clean":
    case "upgrade":
    case "dist-upgrade":
    case "full-upgrade":
      return ok(`${LISTS}\n0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.`);
    default:
      return failed(100, `E: Invalid operation ${action ?? ""}`);
  }
}

const LISTS = "Reading package lists...\nBuilding dependency tree...\nReading state information...";

function lockProblem({ session, machine, args }: Call): CommandResult | null {
  if (session.uid !== 0) {
    return failed(
      100,
      "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?",
    );
  }
  const waits = args.some((word) => /DPkg::Lock::Timeout=(-1|[1-9])/.test(word));
  if (!machine.faults.has("apt-lock-held") || waits) return null;
  return failed(
    100,
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1287 (unattended-upgr)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?",
  );
}

/** Reads the source lines again. A repository without its key is refused, as since apt 2.4. */
async function update(machine: VirtualMachine): Promise<CommandResult> {
  await machine.pause(4_000);
  const lines = await sourceLines(machine);
  const unsigned: string[] = [];
  for (const line of lines) {
    const keyring = /signed-by=([^\]\s]+)/.exec(line)?.[1];
    const key = keyring === undefined ? "" : await machine.disk.readText(keyring);
    if (line.includes("repositories.intel.com") && !key) unsigned.push(line);
  }
  machine.aptSources = lines.filter((line) => !unsigned.includes(line));
  writeLists(machine);
  const hits = machine.aptSources.map((line, index) => `Get:${index + 1} ${shownSource(line)} InRelease [24.5 kB]`);
  const stdout = [...hits, "Fetched 1,482 kB in 2s (741 kB/s)", "Reading package lists..."].join("\n");
  const [first] = unsigned;
  if (first === undefined) return ok(stdout);
  const where = shownSource(first);
  return failed(
    100,
    `W: GPG error: ${where} InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY 28DA432DAAC8BAEA\nE: The repository '${where} InRelease' is not signed.`,
    stdout,
  );
}

/** One file per source, as apt keeps them; that there are some tells a host that was never updated. */
export function writeLists({ disk, aptSources }: VirtualMachine): void {
  for (const line of aptSources) {
    const name = shownSource(line)
      .replace(/^https?:\/\//, "")
      .replace(/[/ ]+/g, "_");
    disk.addFile(`/var/lib/apt/lists/${name}_binary-amd64_Packages`, "simulated package list\n");
  }
}

async function sourceLines(machine: VirtualMachine): Promise<string[]> {
  const folder = "/etc/apt/sources.list.d";
  const lists = (await machine.disk.readdir(folder)).filter((name) => name.endsWith(".list"));
  const texts = await Promise.all(
    ["/etc/apt/sources.list", ...lists.map((name) => `${folder}/${name}`)].map((path) => machine.disk.readText(path)),
  );
  return texts.flatMap((text) => (text ?? "").split("\n")).filter((line) => line.startsWith("deb "));
}

function shownSource(line: string): string {
  const [address, suite] = line.replace(/^deb\s+(\[[^\]]*\]\s+)?/, "").split(/\s+/);
  return `${address} ${suite}`;
}

async function install(
  call: Call,
  words: readonly string[],
  options: ReadonlyMap<string, string>,
  simulate: boolean,
): Promise<CommandResult> {
  const plan = planInstall(call.machine, words, {
    allowDowngrades: options.has("--allow-downgrades"),
    allowHeld: options.has("--allow-change-held-packages"),
  });
  if ("error" in plan) return failed(100, plan.error, LISTS);
  const head = [LISTS, ...plan.notes, ...summary(call.machine, plan)];
  if (simulate) return ok([...head, ...plan.install.map(simulated)].join("\n"));
  const yes = [...options.keys()].some((name) => /^-[a-z]*y/.test(name) || ["--yes", "--assume-yes"].includes(name));
  if (plan.install.length > 0 && !yes)
    return failed(1, "", [...head, "Do you want to continue? [Y/n] Abort."].join("\n"));
  const done = await carryOut(call.machine, plan);
  return done.failed === null
    ? ok([...head, ...done.lines].join("\n"))
    : failed(100, dpkgFailure(done.failed), [...head, ...done.lines].join("\n"));
}

async function carryOut(machine: VirtualMachine, plan: AptPlan) {
  const lines: string[] = [];
  let failedPackage: string | null = null;
  for (const change of plan.install) {
    await machine.pause(change.name.startsWith("linux-") ? 4_000 : 1_500);
    lines.push(`Unpacking ${change.name} (${change.version}) ...`, `Setting up ${change.name} (${change.version}) ...`);
    const done = await installPackage(machine, change, plan.manual.includes(change.name));
    lines.push(...done.lines);
    if (!done.configured) failedPackage ??= change.name;
  }
  for (const name of plan.manual) {
    const entry = machine.packages.get(name);
    if (entry) entry.manual = true;
  }
  return { lines, failed: failedPackage };
}

function dpkgFailure(name: string): string {
  return [
    `dpkg: error processing package ${name} (--configure):`,
    ` installed ${name} package post-installation script subprocess returned error exit status 10`,
    "Errors were encountered while processing:",
    ` ${name}`,
    "E: Sub-process /usr/bin/dpkg returned an error code (1)",
  ].join("\n");
}

function summary(machine: VirtualMachine, plan: AptPlan): string[] {
  const isNew = ({ name }: { name: string }) => machine.packages.get(name)?.state !== "installed";
  const added = plan.install.filter(isNew);
  const list =
    added.length === 0
      ? []
      : ["The following NEW packages will be installed:", `  ${added.map(({ name }) => name).join(" ")}`];
  const counts = `${plan.install.length - added.length} upgraded, ${added.length} newly installed, 0 to remove and 0 not upgraded.`;
  return [...list, counts];
}

function simulated({ name, version }: { name: string; version: string }): string {
  return `Inst ${name} (${version} Ubuntu:22.04/jammy [amd64])\nConf ${name} (${version} Ubuntu:22.04/jammy [amd64])`;
}

async function remove(
  machine: VirtualMachine,
  names: readonly string[],
  purge: boolean,
  simulate: boolean,
): Promise<CommandResult> {
  const present = names.filter((name) => machine.packages.has(name));
  if (simulate) return ok([LISTS, ...present.map((name) => `Remv ${name}`)].join("\n"));
  const lines: string[] = [];
  for (const name of present) {
    lines.push(`Removing ${name} (${machine.packages.get(name)?.version}) ...`);
    await machine.pause(1_000);
    await removePackage(machine, name, purge);
  }
  return ok(
    [LISTS, `0 upgraded, 0 newly installed, ${present.length} to remove and 0 not upgraded.`, ...lines].join("\n"),
  );
}

function aptCache({ args, machine }: Call): CommandResult {
  const { options, operands } = splitOptions(args, VALUE_OPTIONS);
  const [action, ...names] = operands;
  if (action === "policy") return ok(names.map((name) => policy(machine, name)).join(""));
  if (action === "madison") return ok(names.map((name) => madison(machine, name)).join(""));
  if (action === "search") return search(machine, names[0] ?? "", options.has("--names-only") || options.has("-n"));
  if (action === "show") {
    const shown = names.filter((name) => versionsOf(machine, name).length > 0);
    if (shown.length === 0) return failed(100, "E: No packages found");
    return ok(shown.map((name) => `Package: ${name}\nVersion: ${versionsOf(machine, name)[0]?.version}\n`).join("\n"));
  }
  return failed(100, `E: Invalid operation ${action ?? ""}`);
}

function policy(machine: VirtualMachine, name: string): string {
  const versions = versionsOf(machine, name);
  const entry = machine.packages.get(name);
  if (versions.length === 0 && !entry) return "";
  const installed = entry?.state === "installed" ? entry.version : null;
  const table = versions.flatMap(({ version, from }) => [
    ` ${version === installed ? "***" : "   "} ${version} 500`,
    `        500 ${from.origin.shown} amd64 Packages`,
  ]);
  const candidate = versions[0]?.version ?? installed ?? "(none)";
  const head = [`${name}:`, `  Installed: ${installed ?? "(none)"}`, `  Candidate: ${candidate}`, "  Version table:"];
  return `${[...head, ...table].join("\n")}\n`;
}

function madison(machine: VirtualMachine, name: string): string {
  const lines = versionsOf(machine, name).map(
    ({ version, from }) => ` ${name} | ${version} | ${from.origin.shown} amd64 Packages`,
  );
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function search(machine: VirtualMachine, pattern: string, namesOnly: boolean): CommandResult {
  const matches = new RegExp(pattern);
  const found = offered(machine).filter(
    ({ name, description = "" }) => matches.test(name) || (!namesOnly && matches.test(description)),
  );
  return ok(found.map(({ name, description }) => `${name} - ${description ?? name}`).join("\n"));
}

function aptMark({ args, machine, session }: Call): CommandResult {
  const [action, ...names] = splitOptions(args).operands;
  const all = [...machine.packages];
  if (action === "showhold")
    return ok(
      all
        .filter(([, { held }]) => held)
        .map(([name]) => name)
        .join("\n"),
    );
  if (action === "showmanual")
    return ok(
      all
        .filter(([, { manual }]) => manual)
        .map(([name]) => name)
        .join("\n"),
    );
  if (action === "showauto")
    return ok(
      all
        .filter(([, { manual }]) => !manual)
        .map(([name]) => name)
        .join("\n"),
    );
  if (session.uid !== 0)
    return failed(
      100,
      "E: Could not create temporary file for /var/lib/apt/extended_states - mkstemp (13: Permission denied)",
    );
  const words: Record<string, string> = {
    hold: "set on hold",
    unhold: "was already not hold",
    manual: "set to manually installed",
    auto: "set to automatically installed",
  };
  if (action === undefined || !(action in words)) return failed(1, `E: Invalid operation ${action ?? ""}`);
  const unknown = names.find((name) => !machine.packages.has(name) && versionsOf(machine, name).length === 0);
  if (unknown !== undefined) return failed(100, `E: Unable to locate package ${unknown}`);
  return ok(names.map((name) => mark(machine, name, action)).join("\n"));
}

function mark(machine: VirtualMachine, name: string, action: string): string {
  const entry = machine.packages.get(name);
  if (!entry)
    return action.endsWith("hold")
      ? `${name} was already not hold.`
      : `${name} can not be marked as it is not installed.`;
  if (action === "manual" || action === "auto") {
    entry.manual = action === "manual";
    return `${name} set to ${entry.manual ? "manually" : "automatically"} installed.`;
  }
  const wanted = action === "hold";
  if (entry.held === wanted) return `${name} was already ${wanted ? "set on" : "not"} hold.`;
  entry.held = wanted;
  return wanted ? `${name} set on hold.` : `Canceled hold on ${name}.`;
}
