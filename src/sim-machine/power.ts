import { chooseBoot, parseGrubEnv, renderGrubEnv } from "./grub.ts";
import { hasFullBar, LOCAL_MEMORY_BYTES, resetClocks } from "./hardware.ts";
import { mountKernelFiles } from "./kernel-files.ts";
import { loadUnit, startUnit } from "./service-runner.ts";
import { type Boot, type VirtualGpu, type VirtualMachine, writeJournal } from "./virtual-machine.ts";

const SHUTDOWN_MS = 3_000;
const BOOT_MS = 24_000;

/** Turns the host off after a moment, as an init does when it is asked to, and on again for a reboot. */
export function requestPower(machine: VirtualMachine, kind: "reboot" | "poweroff"): void {
  writeJournal(machine, "systemd", kind === "reboot" ? "System is rebooting." : "System is powering down.");
  machine
    .pause(SHUTDOWN_MS)
    .then(async () => {
      cutPower(machine);
      if (kind === "reboot") await bootMachine(machine);
    })
    .catch(ignore);
}

/** Everything that runs is gone at once. */
export function cutPower(machine: VirtualMachine): void {
  machine.boot = null;
  for (const end of [...machine.onPowerOff]) end();
  machine.onPowerOff.clear();
  machine.listeners.clear();
  machine.locks.clear();
  machine.units.clear();
}

/** Boots what GRUB chooses: kernel files, then the units that are enabled. */
export async function bootMachine(machine: VirtualMachine): Promise<void> {
  await machine.pause(BOOT_MS);
  const choice = await readBootLoader(machine);
  if (choice === null || machine.closing.aborted) return;
  if (machine.faults.has("kernel-hangs") && choice.release.startsWith("6.5.0-")) {
    await panic(machine);
    return bootMachine(machine);
  }
  const boot: Boot = {
    ...choice,
    id: crypto.randomUUID(),
    atMs: machine.clock.nowMs(),
    driver: driverFor(machine, choice.release),
    kernelLog: [],
  };
  boot.kernelLog.push(...kernelLog(machine, boot));
  resetClocks(machine.hardware);
  await clearVolatile(machine);
  await mountKernelFiles(machine, boot);
  machine.bootIds.push(boot.id);
  machine.listeners.set(22, { process: "sshd", pid: 812, address: "0.0.0.0", realPort: null });
  machine.boot = boot;
  for (const line of boot.kernelLog) writeJournal(machine, "kernel", line);
  await startEnabledUnits(machine);
}

/** With panic=N on its command line the kernel boots again, and GRUB has forgotten the trial entry by then. */
async function panic(machine: VirtualMachine): Promise<void> {
  const id = crypto.randomUUID();
  machine.bootIds.push(id);
  const message = "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0) (simulated)";
  const at = { atMs: machine.clock.nowMs(), iso: machine.clock.isoNow() };
  machine.journal.push({ ...at, bootId: id, unit: "kernel", message, priority: 0 });
  await machine.pause(30_000);
}

/** A one-time entry is forgotten before the kernel starts (grub 2.06, 00_header). */
async function readBootLoader(machine: VirtualMachine) {
  const env = parseGrubEnv((await machine.disk.readText("/boot/grub/grubenv")) ?? "");
  const choice = chooseBoot((await machine.disk.readText("/boot/grub/grub.cfg")) ?? "", env);
  if (env["next_entry"]) await machine.disk.writeFile("/boot/grub/grubenv", renderGrubEnv({ ...env, next_entry: "" }));
  return choice;
}

/** The dkms module wins over the one of the kernel, which is in the package of extra modules. */
function driverFor(machine: VirtualMachine, release: string): Boot["driver"] {
  if (machine.dkms.some(({ installed }) => installed.has(release))) return machine.firmware.secureBoot ? null : "dkms";
  return machine.packages.get(`linux-modules-extra-${release}`)?.state === "installed" ? "in-tree" : null;
}

async function clearVolatile({ disk }: VirtualMachine): Promise<void> {
  for (const folder of ["/run", "/tmp"]) await disk.forget(folder);
  for (const folder of ["/run/systemd/system", "/run/lock", "/tmp"]) disk.mkdirSync(folder, { recursive: true });
}

async function startEnabledUnits(machine: VirtualMachine): Promise<void> {
  for (const target of ["sysinit.target", "basic.target", "timers.target", "multi-user.target"]) {
    const names = await machine.disk.readdir(`/etc/systemd/system/${target}.wants`).catch(() => []);
    for (const name of names) {
      const file = await loadUnit(machine, name);
      if (file && !machine.closing.aborted) await startUnit(machine, name, file);
    }
  }
}

function kernelLog(machine: VirtualMachine, { release, driver, commandLine }: Boot): string[] {
  const log = [
    `Linux version ${release} (buildd@lcy02-amd64) (simulated host) #1 SMP PREEMPT_DYNAMIC`,
    `Command line: ${commandLine}`,
    "Secure boot disabled",
  ];
  if (machine.firmware.secureBoot) {
    log[2] = "Secure boot enabled";
    if (driver === null) log.push("Loading of module with unavailable key is rejected");
  }
  if (driver === "dkms")
    log.push("COMPAT BACKPORTED INIT", "Loading modules backported from I915-23.6.24", "[drm] I915 BACKPORTED INIT");
  if (driver !== null)
    log.push(...machine.hardware.gpus.flatMap((gpu) => gpuLog(gpu, hasFullBar(gpu, machine.firmware.resizableBar))));
  return log;
}

function gpuLog({ bdf }: VirtualGpu, fullBar: boolean): string[] {
  const hex = (bytes: number) => `0x${bytes.toString(16).padStart(16, "0")}`;
  const at = `i915 ${bdf}: [drm]`;
  const bar = fullBar
    ? []
    : [
        `${at} Failed to resize BAR2 to 16384M (-ENOSPC)`,
        `${at} Using a reduced BAR size of 256MiB. Consider enabling 'Resizable BAR' or similar, if available in the BIOS.`,
      ];
  return [
    ...bar,
    `${at} Local memory IO size: ${hex(fullBar ? LOCAL_MEMORY_BYTES : 0x10000000)}`,
    `${at} Local memory available: ${hex(LOCAL_MEMORY_BYTES)}`,
    `${at} Finished loading DMC firmware i915/dg2_dmc_ver2_08.bin (v2.8)`,
    `${at} GT0: GuC firmware i915/dg2_guc_70.bin version 70.20.0`,
    `${at} GT0: HuC firmware i915/dg2_huc_gsc.bin version 7.10.3`,
  ];
}

function ignore(): void {}
