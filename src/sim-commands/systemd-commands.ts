import { quotePosix } from "../core/quote-posix.ts";
import { requestPower } from "../sim-machine/power.ts";
import { loadUnit, startUnit, stopUnit, UNIT_FOLDERS, unitState } from "../sim-machine/service-runner.ts";
import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "../sim-machine/stand-in.ts";
import { parseTimeSpan, parseUnitFile, type UnitFile } from "../sim-machine/unit-file.ts";
import type { VirtualMachine } from "../sim-machine/virtual-machine.ts";

export const systemdCommands: Readonly<Record<string, StandIn>> = {
  systemctl,
  "systemd-run": systemdRun,
  "systemd-analyze": ({ args }) =>
    args[0] === "verify" ? ok() : ok("Startup finished in 9.1s (kernel) + 21.4s (userspace) = 30.5s"),
  reboot: (call) => power(call, "reboot"),
  poweroff: (call) => power(call, "poweroff"),
  shutdown: (call) => power(call, call.args.includes("-r") ? "reboot" : "poweroff"),
};

async function systemctl(call: Call): Promise<CommandResult> {
  const { options, operands } = splitOptions(call.args, ["-p", "--property", "-n", "--lines", "-t", "--type"]);
  const [verb = "list-units", ...rest] = operands;
  const names = rest.map((name) => (/\.\w+$/.test(name) ? name : `${name}.service`));
  const { machine } = call;
  const reading = READERS[verb];
  if (reading) return reading(machine, names, options);
  if (verb === "reboot" || verb === "poweroff") return power(call, verb);
  if (call.session.uid !== 0) {
    return failed(1, `Failed to ${verb} ${names[0] ?? ""}: Interactive authentication required.`);
  }
  if (verb === "daemon-reload" || verb === "daemon-reexec") return ok();
  const change = CHANGES[verb];
  if (!change) return failed(1, `Unknown command verb ${verb}.`);
  for (const name of names) {
    const result = await change(machine, name, options.has("--now"));
    if (result.exitCode !== 0) return result;
  }
  return ok();
}

type Reader = (
  machine: VirtualMachine,
  names: readonly string[],
  options: ReadonlyMap<string, string>,
) => CommandResult | Promise<CommandResult>;

const READERS: Readonly<Record<string, Reader>> = {
  "is-system-running": (machine) => {
    const broken = [...machine.units.values()].some(({ active }) => active === "failed");
    return broken ? failed(1, "", "degraded") : ok("running");
  },
  "is-active": (machine, names) => {
    const states = names.map((name) => unitState(machine, name).active);
    const quiet = { stdout: `${states.join("\n")}\n`, stderr: "", exitCode: states.includes("active") ? 0 : 3 };
    return quiet;
  },
  "is-failed": (machine, names) => {
    const states = names.map((name) => unitState(machine, name).active);
    return { stdout: `${states.join("\n")}\n`, stderr: "", exitCode: states.includes("failed") ? 0 : 1 };
  },
  "is-enabled": async (machine, names) => {
    const states = await Promise.all(names.map((name) => enablement(machine, name)));
    const missing = names.filter((_, at) => states[at] === null);
    const stderr = missing
      .map((name) => `Failed to get unit file state for ${name}: No such file or directory\n`)
      .join("");
    const known = states.filter((state) => state !== null);
    const good = known.some((state) => state === "enabled" || state === "static");
    return { stdout: known.map((state) => `${state}\n`).join(""), stderr, exitCode: good ? 0 : 1 };
  },
  "list-units": (machine, _names, options) => {
    const failedOnly = options.has("--failed") || options.get("--state") === "failed";
    const rows = [...machine.units].filter(([, { active }]) =>
      failedOnly ? active === "failed" : active !== "inactive",
    );
    return ok(rows.map(([name, { active, sub }]) => `${name} loaded ${active} ${sub} (simulated)`).join("\n"));
  },
  "list-timers": () => ok("0 timers listed."),
  cat: async (machine, names) => {
    const file = await loadUnit(machine, names[0] ?? "");
    return file ? ok(file.text) : failed(1, `No files found for ${names[0]}.`);
  },
  show: async (machine, names, options) => ok(await shownProperties(machine, names[0] ?? "", options)),
  status: async (machine, names) => {
    const [name = ""] = names;
    const file = await loadUnit(machine, name);
    if (!file) return failed(4, `Unit ${name} could not be found.`);
    const { active, sub } = unitState(machine, name);
    const lines = machine.journal
      .filter((entry) => entry.unit === name)
      .slice(-10)
      .map(({ message }) => message);
    const text = [
      `● ${name} - ${file.first("Unit", "Description") ?? name}`,
      `     Active: ${active} (${sub})`,
      "",
      ...lines,
    ].join("\n");
    return { stdout: `${text}\n`, stderr: "", exitCode: active === "active" ? 0 : 3 };
  },
};

async function shownProperties(
  machine: VirtualMachine,
  name: string,
  options: ReadonlyMap<string, string>,
): Promise<string> {
  const state = unitState(machine, name);
  const file = await loadUnit(machine, name);
  const properties: Record<string, string> = {
    Id: name,
    LoadState: file || state.transient ? "loaded" : "not-found",
    ActiveState: state.active,
    SubState: state.sub,
    Result: state.result,
    MainPID: String(state.mainPid),
    ExecMainStatus: String(state.exitStatus),
    UnitFileState: (await enablement(machine, name)) ?? "",
    FragmentPath: file ? `/etc/systemd/system/${name}` : "",
  };
  const wanted = (options.get("-p") ?? options.get("--property") ?? Object.keys(properties).join(",")).split(",");
  const valueOnly = options.has("--value");
  return wanted.map((key) => (valueOnly ? (properties[key] ?? "") : `${key}=${properties[key] ?? ""}`)).join("\n");
}

type Change = (machine: VirtualMachine, name: string, now: boolean) => Promise<CommandResult>;

const CHANGES: Readonly<Record<string, Change>> = {
  start,
  restart: async (machine, name) => {
    await stopUnit(machine, name);
    return start(machine, name);
  },
  "try-restart": async () => ok(),
  reload: async () => ok(),
  stop: async (machine, name) => {
    await stopUnit(machine, name);
    return ok();
  },
  kill: async (machine, name) => {
    await stopUnit(machine, name);
    return ok();
  },
  enable: async (machine, name, now) => {
    const file = await loadUnit(machine, name);
    if (!file) return failed(1, `Failed to enable unit: Unit file ${name} does not exist.`);
    for (const link of wantedBy(file, name))
      if (!(await machine.disk.exists(link))) await machine.disk.addSymlink(`../${name}`, link);
    return now ? start(machine, name) : ok();
  },
  disable: async (machine, name, now) => {
    const file = await loadUnit(machine, name);
    for (const link of file ? wantedBy(file, name) : []) await machine.disk.rm(link, { force: true });
    if (now) await stopUnit(machine, name);
    return ok();
  },
  mask: async (machine, name, now) => {
    const path = `/etc/systemd/system/${name}`;
    await machine.disk.rm(path, { force: true });
    await machine.disk.symlink("/dev/null", path);
    if (now) await stopUnit(machine, name);
    return ok();
  },
  unmask: async (machine, name) => {
    if (await isMasked(machine, name)) await machine.disk.rm(`/etc/systemd/system/${name}`, { force: true });
    return ok();
  },
  "reset-failed": async (machine, name) => {
    const state = unitState(machine, name);
    if (state.active === "failed") Object.assign(state, { active: "inactive", sub: "dead", result: "success" });
    return ok();
  },
};

async function start(machine: VirtualMachine, name: string): Promise<CommandResult> {
  const file = await loadUnit(machine, name);
  if (!file) return failed(5, `Failed to start ${name}: Unit ${name} not found.`);
  if (await isMasked(machine, name)) return failed(1, `Failed to start ${name}: Unit ${name} is masked.`);
  if (await startUnit(machine, name, file)) return ok();
  return failed(
    1,
    `Job for ${name} failed because the control process exited with error code.\nSee "systemctl status ${name}" and "journalctl -xeu ${name}" for details.`,
  );
}

async function enablement(machine: VirtualMachine, name: string): Promise<string | null> {
  if (await isMasked(machine, name)) return "masked";
  const file = await loadUnit(machine, name);
  if (!file) return null;
  const links = wantedBy(file, name);
  if (links.length === 0) return "static";
  const present = await Promise.all(links.map((link) => machine.disk.exists(link)));
  return present.some(Boolean) ? "enabled" : "disabled";
}

async function isMasked(machine: VirtualMachine, name: string): Promise<boolean> {
  const target = await machine.disk.readlink(`${UNIT_FOLDERS[0]}/${name}`).catch(() => null);
  return target === "/dev/null";
}

function wantedBy(file: UnitFile, name: string): string[] {
  const targets = [...file.all("Install", "WantedBy"), ...file.all("Install", "RequiredBy")].flatMap((line) =>
    line.split(/\s+/),
  );
  return targets.map((target) => `/etc/systemd/system/${target}.wants/${name}`);
}

const RUN_VALUES = [
  "-p",
  "--property",
  "-E",
  "--setenv",
  "--unit",
  "-u",
  "--on-active",
  "--description",
  "--service-type",
  "--uid",
  "--gid",
];

/** A transient unit from a command line, at once or after a while. */
async function systemdRun(call: Call): Promise<CommandResult> {
  const { machine, session, args } = call;
  if (session.uid !== 0)
    return failed(1, "Failed to start transient service unit: Interactive authentication required.");
  const split = args.findIndex((word, at) => !word.startsWith("-") && !RUN_VALUES.includes(args[at - 1] ?? ""));
  const { options } = splitOptions(args.slice(0, split), RUN_VALUES);
  const argv = args.slice(split);
  const name = unitName(options.get("--unit") ?? options.get("-u") ?? `run-r${machine.journal.length}`);
  const delay = options.get("--on-active");
  const type = options.has("--wait") || options.has("--pipe") ? "oneshot" : "exec";
  const file = parseUnitFile(
    `[Service]\nType=${type}\nExecStart=${argv.map((word) => quotePosix(word).replaceAll("$", "$$$$").replaceAll("%", "%%")).join(" ")}\n`,
  );
  unitState(machine, name).transient = true;
  if (delay !== undefined) {
    machine.pause(parseTimeSpan(delay)).then(() => startUnit(machine, name, file), ignore);
    return failed(0, `Running timer as unit: ${name.replace(".service", ".timer")}\nWill run service as unit: ${name}`);
  }
  const before = machine.journal.length;
  const good = await startUnit(machine, name, file);
  const output = machine.journal
    .slice(before)
    .filter(({ unit }) => unit === name)
    .map(({ message }) => message);
  const exitCode = good ? 0 : unitState(machine, name).exitStatus;
  return failed(
    exitCode,
    options.has("--quiet") ? "" : `Running as unit: ${name}`,
    options.has("--pipe") ? output.join("\n") : "",
  );
}

function unitName(name: string): string {
  return /\.\w+$/.test(name) ? name : `${name}.service`;
}

function power({ machine, session }: Call, kind: "reboot" | "poweroff"): CommandResult {
  if (session.uid !== 0)
    return failed(
      1,
      "Failed to set wall message, ignoring: Interactive authentication required.\nFailed to reboot system via logind: Interactive authentication required.",
    );
  requestPower(machine, kind);
  return ok();
}

function ignore(): void {}
