import { compareVersions } from "../sim-machine/debian-version.ts";
import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "../sim-machine/stand-in.ts";
import type { InstalledPackage, VirtualMachine } from "../sim-machine/virtual-machine.ts";
import { configure } from "./package-state.ts";

export const dpkgCommands: Readonly<Record<string, StandIn>> = { dpkg, "dpkg-query": dpkgQuery };

// biome-ignore lint/suspicious/noTemplateCurlyInString: a format of dpkg-query, not of ours.
const DEFAULT_FORMAT = "${binary:Package}\\t${Version}\\n";

function dpkgQuery({ args, machine }: Call): CommandResult {
  const { options, operands } = splitOptions(args, ["-f", "--showformat"]);
  const attached =
    args.find((word) => word.startsWith("-f="))?.slice(3) ?? args.find((word) => /^-f./.test(word))?.slice(2);
  const format = options.get("--showformat") ?? options.get("-f") ?? attached ?? DEFAULT_FORMAT;
  if (options.has("-W") || options.has("--show")) return show(machine, operands, format.replace(/^=/, ""));
  if (options.has("-s") || options.has("--status")) return status(machine, operands);
  if (options.has("-l") || options.has("--list")) return list(machine, operands);
  return failed(2, "dpkg-query: error: need an action option");
}

async function dpkg(call: Call): Promise<CommandResult> {
  const { args, machine, session } = call;
  const [action = "", ...words] = args;
  if (action === "--print-architecture") return ok("amd64");
  if (action === "--print-foreign-architectures") return ok("i386");
  if (action === "--compare-versions") return compare(words);
  if (action === "-l" || action === "--list") return list(machine, words);
  if (action === "-s" || action === "--status") return status(machine, words);
  if (action === "--audit" || action === "-C") return audit(machine);
  if (action === "--get-selections") {
    return ok([...machine.packages].map(([name, { held }]) => `${name}\t\t${held ? "hold" : "install"}`).join("\n"));
  }
  if (action === "--configure") {
    if (session.uid !== 0) return failed(2, "dpkg: error: requested operation requires superuser privilege");
    return configureAll(machine, words);
  }
  return failed(2, `dpkg: error: unknown option ${action}`);
}

function show(machine: VirtualMachine, patterns: readonly string[], format: string): CommandResult {
  const missing: string[] = [];
  const shown = (patterns.length === 0 ? ["*"] : patterns).flatMap((pattern) => {
    const found = matching(machine, pattern);
    if (found.length === 0) missing.push(pattern);
    return found.map(([name, entry]) => render(format, name, entry));
  });
  const stderr = missing.map((pattern) => `dpkg-query: no packages found matching ${pattern}\n`).join("");
  return { stdout: shown.join(""), stderr, exitCode: missing.length > 0 ? 1 : 0 };
}

function render(format: string, name: string, entry: InstalledPackage): string {
  const fields: Record<string, string> = {
    Package: name,
    "binary:Package": name,
    Version: entry.version,
    Architecture: "amd64",
    Status: `${entry.held ? "hold" : "install"} ok ${entry.state}`,
    "db:Status-Status": entry.state,
    "db:Status-Abbrev": abbreviation(entry),
    "db:Status-Want": entry.held ? "hold" : "install",
  };
  return format
    .replace(/\$\{([^};]+)(?:;-?\d+)?\}/g, (_, field: string) => fields[field] ?? "")
    .replaceAll("\\n", "\n")
    .replaceAll("\\t", "\t");
}

/** What is wanted, what is, and a space for no error. */
function abbreviation({ held, state }: InstalledPackage): string {
  return `${held ? "h" : state === "config-files" ? "r" : "i"}${{ installed: "i", "half-configured": "F", "config-files": "c" }[state]} `;
}

function matching(machine: VirtualMachine, pattern: string): [string, InstalledPackage][] {
  const expression = new RegExp(`^${pattern.replace(/[.+]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`);
  return [...machine.packages]
    .filter(([name]) => expression.test(name))
    .sort(([left], [right]) => (left < right ? -1 : 1));
}

function status(machine: VirtualMachine, names: readonly string[]): CommandResult {
  const blocks = names.map((name) => {
    const entry = machine.packages.get(name);
    return entry
      ? `Package: ${name}\nStatus: ${entry.held ? "hold" : "install"} ok ${entry.state}\nArchitecture: amd64\nVersion: ${entry.version}\n`
      : null;
  });
  const missing = names.filter((_, at) => blocks[at] === null);
  const stderr = missing.map(
    (name) => `dpkg-query: package '${name}' is not installed and no information is available\n`,
  );
  return {
    stdout: blocks.filter((block) => block !== null).join("\n"),
    stderr: stderr.join(""),
    exitCode: missing.length > 0 ? 1 : 0,
  };
}

function list(machine: VirtualMachine, patterns: readonly string[]): CommandResult {
  const found = (patterns.length === 0 ? ["*"] : patterns).flatMap((pattern) => matching(machine, pattern));
  if (found.length === 0) return failed(1, `dpkg-query: no packages found matching ${patterns.join(" ")}`);
  const head = [
    "Desired=Unknown/Install/Remove/Purge/Hold",
    "| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend",
    "|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)",
    "||/ Name Version Architecture Description",
    "+++-====-=======-============-===========",
  ];
  const rows = found.map(([name, entry]) => `${abbreviation(entry)} ${name} ${entry.version} amd64 (simulated)`);
  return ok([...head, ...rows].join("\n"));
}

function audit(machine: VirtualMachine): CommandResult {
  const broken = [...machine.packages].filter(([, { state }]) => state === "half-configured").map(([name]) => name);
  if (broken.length === 0) return ok();
  const words =
    "The following packages are only half configured, probably due to problems\nconfiguring them the first time.";
  return ok(`${words}\n${broken.map((name) => ` ${name}`).join("\n")}`);
}

async function configureAll(machine: VirtualMachine, words: readonly string[]): Promise<CommandResult> {
  const names = words.includes("-a") ? [...machine.packages.keys()] : words;
  const lines: string[] = [];
  for (const name of names) {
    const entry = machine.packages.get(name);
    if (entry?.state !== "half-configured") continue;
    const done = await configure(machine, name, entry.version);
    lines.push(`Setting up ${name} (${entry.version}) ...`, ...done.output);
    if (done.failed) {
      const why = ` installed ${name} package post-installation script subprocess returned error exit status 10`;
      return failed(1, `dpkg: error processing package ${name} (--configure):\n${why}`, lines.join("\n"));
    }
    entry.state = "installed";
  }
  return ok(lines.join("\n"));
}

function compare([left = "", operator = "", right = ""]: readonly string[]): CommandResult {
  const order = compareVersions(left, right);
  const holds: Record<string, boolean> = {
    lt: order < 0,
    le: order <= 0,
    eq: order === 0,
    ne: order !== 0,
    ge: order >= 0,
    gt: order > 0,
  };
  return holds[operator] === true ? ok() : failed(1);
}
