import type { Session } from "./stand-in.ts";
import { parseTimeSpan, parseUnitFile, splitExecLine, type UnitFile } from "./unit-file.ts";
import { nextPid, type UnitState, type VirtualMachine, writeJournal } from "./virtual-machine.ts";

/** Folders that units are read from; the first wins. */
export const UNIT_FOLDERS = ["/etc/systemd/system", "/run/systemd/system", "/lib/systemd/system"];

export async function loadUnit(machine: VirtualMachine, name: string): Promise<UnitFile | null> {
  for (const folder of UNIT_FOLDERS) {
    const text = await machine.disk.readText(`${folder}/${name}`);
    if (text !== null) return parseUnitFile(text);
  }
  return null;
}

export function unitState(machine: VirtualMachine, name: string): UnitState {
  const known = machine.units.get(name);
  if (known) return known;
  const state: UnitState = {
    active: "inactive",
    sub: "dead",
    result: "success",
    exitStatus: 0,
    mainPid: 0,
    stop: null,
    transient: false,
  };
  machine.units.set(name, state);
  return state;
}

/** Starts a unit and waits as `systemctl start` does: to the end of a oneshot, to the start of everything else. */
export async function startUnit(machine: VirtualMachine, name: string, file: UnitFile): Promise<boolean> {
  const state = unitState(machine, name);
  if (state.active === "active" || state.active === "activating") return true;
  if (name.endsWith(".timer")) return startTimer(machine, name, file, state);
  if (!name.endsWith(".service") || file.all("Service", "ExecStart").length === 0)
    return settle(state, "active", "running");
  if (!(await conditionsHold(machine, file))) return true;

  const commands = (key: string) => file.all("Service", key).map((line) => splitExecLine(line, environmentOf(file)));
  writeJournal(machine, "systemd", `Starting ${file.first("Unit", "Description") ?? name}...`);
  Object.assign(state, {
    active: "activating",
    sub: "start",
    mainPid: nextPid(machine),
    exitStatus: 0,
    result: "success",
  });
  for (const argv of commands("ExecStartPre")) {
    if ((await runInUnit(machine, name, file, argv)) !== 0) return fail(machine, name, state, 1);
  }
  const type = file.first("Service", "Type") ?? "simple";
  if (type === "oneshot") return runOneshot(machine, name, file, commands("ExecStart"), state);
  runInBackground(machine, name, file, commands("ExecStart")[0] as string[], state);
  return settle(state, "active", "running");
}

/** Stops a unit and waits for its main process. */
export async function stopUnit(machine: VirtualMachine, name: string): Promise<void> {
  const state = unitState(machine, name);
  if (state.active !== "failed") state.active = "deactivating";
  const file = await loadUnit(machine, name);
  for (const line of file?.all("Service", "ExecStop") ?? []) {
    if (file) await runInUnit(machine, name, file, splitExecLine(line, environmentOf(file)));
  }
  await state.stop?.();
  if (state.active !== "failed") settle(state, "inactive", "dead");
}

/** Runs words as root with the unit's environment, its output in the journal; gives the exit code. */
async function runInUnit(
  machine: VirtualMachine,
  name: string,
  file: UnitFile,
  argv: readonly string[],
  signal = new AbortController().signal,
): Promise<number> {
  const session: Session = {
    machine,
    user: "root",
    uid: 0,
    groups: ["root"],
    signal,
    live: (line) => writeJournal(machine, name, line),
    speak: null,
  };
  const result = await machine.runArgv(session, argv, environmentOf(file));
  writeJournal(machine, name, result.stdout);
  writeJournal(machine, name, result.stderr, 3);
  return result.exitCode;
}

async function runOneshot(
  machine: VirtualMachine,
  name: string,
  file: UnitFile,
  commands: readonly string[][],
  state: UnitState,
): Promise<boolean> {
  for (const argv of commands) {
    const exitCode = await runInUnit(machine, name, file, argv);
    if (exitCode !== 0) return fail(machine, name, state, exitCode);
  }
  writeJournal(machine, "systemd", `Finished ${file.first("Unit", "Description") ?? name}.`);
  const remains = /^(yes|true|1|on)$/.test(file.first("Service", "RemainAfterExit") ?? "");
  return remains ? settle(state, "active", "exited") : settle(state, "inactive", "dead");
}

function runInBackground(
  machine: VirtualMachine,
  name: string,
  file: UnitFile,
  argv: readonly string[],
  state: UnitState,
): void {
  const ending = new AbortController();
  const powerOff = () => ending.abort();
  machine.onPowerOff.add(powerOff);
  const ended = runInUnit(machine, name, file, argv, ending.signal).then((exitCode) => {
    machine.onPowerOff.delete(powerOff);
    state.stop = null;
    state.exitStatus = exitCode;
    if (exitCode === 0 || state.active === "deactivating") settle(state, "inactive", "dead");
    else fail(machine, name, state, exitCode);
  });
  state.stop = async () => {
    ending.abort();
    await ended;
  };
}

function startTimer(machine: VirtualMachine, name: string, file: UnitFile, state: UnitState): boolean {
  const service = file.first("Timer", "Unit") ?? name.replace(/\.timer$/, ".service");
  const span = file.first("Timer", "OnBootSec") ?? file.first("Timer", "OnActiveSec");
  settle(state, "active", "waiting");
  if (span === null) return true;
  const cancel = new AbortController();
  machine.onPowerOff.add(() => cancel.abort());
  state.stop = async () => cancel.abort();
  machine.pause(parseTimeSpan(span), cancel.signal).then(async () => {
    const serviceFile = cancel.signal.aborted ? null : await loadUnit(machine, service);
    if (serviceFile) await startUnit(machine, service, serviceFile);
  }, ignore);
  return true;
}

async function conditionsHold(machine: VirtualMachine, file: UnitFile): Promise<boolean> {
  for (const path of file.all("Unit", "ConditionPathExists")) if (!(await machine.disk.exists(path))) return false;
  for (const glob of file.all("Unit", "ConditionPathExistsGlob")) {
    const folder = glob.slice(0, glob.lastIndexOf("/"));
    const pattern = new RegExp(
      `^${glob
        .slice(folder.length + 1)
        .replaceAll(".", "\\.")
        .replaceAll("*", ".*")}$`,
    );
    const names = await machine.disk.readdir(folder).catch(() => []);
    if (!names.some((name) => pattern.test(name))) return false;
  }
  return true;
}

function environmentOf(file: UnitFile): Record<string, string> {
  const words = file.all("Service", "Environment").flatMap((line) => splitExecLine(line, {}));
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]));
}

function settle(state: UnitState, active: UnitState["active"], sub: string): true {
  Object.assign(state, { active, sub });
  if (active === "inactive") state.mainPid = 0;
  return true;
}

function fail(machine: VirtualMachine, name: string, state: UnitState, exitStatus: number): false {
  Object.assign(state, { active: "failed", sub: "failed", result: "exit-code", exitStatus, mainPid: 0 });
  writeJournal(machine, "systemd", `${name}: Main process exited, code=exited, status=${exitStatus}/FAILURE`, 5);
  writeJournal(machine, "systemd", `${name}: Failed with result 'exit-code'.`, 4);
  return false;
}

function ignore(): void {}
