import { i915SrcVersion, moduleNames } from "../sim-machine/kernel-files.ts";
import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "../sim-machine/stand-in.ts";
import type { Boot, VirtualMachine } from "../sim-machine/virtual-machine.ts";

/** Commands that report on the kernel and the machine. */
export const systemCommands: Readonly<Record<string, StandIn>> = {
  uname,
  hostname: () => ok("arc-sim"),
  nproc: ({ machine }) => ok(String(machine.hardware.cpu.threads)),
  arch: () => ok("x86_64"),
  dmesg,
  lsmod: ({ machine }) =>
    ok(
      [
        "Module                  Size  Used by",
        ...moduleNames(bootOf(machine)).map((name) => `${name.padEnd(20)} 3825664  2`),
      ].join("\n"),
    ),
  modinfo,
  modprobe,
  lsinitramfs: () => ok("usr/lib/firmware\nusr/lib/modules"),
  "update-initramfs": updateInitramfs,
  mokutil: ({ args, machine }) =>
    args.includes("--sb-state") ? ok(`SecureBoot ${machine.firmware.secureBoot ? "enabled" : "disabled"}`) : ok(),
  sysctl,
  lscpu: ({ machine }) =>
    ok(`Architecture: x86_64\nCPU(s): ${machine.hardware.cpu.threads}\nModel name: ${machine.hardware.cpu.model}`),
  uptime: ({ machine }) =>
    ok(
      ` up ${Math.floor((machine.clock.nowMs() - bootOf(machine).atMs) / 1000)} s,  1 user,  load average: 0.08, 0.12, 0.10 (simulated)`,
    ),
  free: ({ machine }) =>
    ok(
      `               total        used        free\nMem:        ${machine.hardware.memoryKib}     2500000    ${machine.hardware.memoryKib - 4_000_000}`,
    ),
  df: ({ args }) => ok(diskFree(args.at(-1) ?? "/")),
  lsb_release: ({ args }) => (args.includes("-cs") || args.includes("-sc") ? ok("jammy") : ok("Ubuntu 22.04.5 LTS")),
  "systemd-detect-virt": () => failed(1, "", "none"),
  ss,
  ps: () => ok("    PID TTY          TIME CMD\n      1 ?        00:00:03 systemd\n    812 ?        00:00:00 sshd"),
  pgrep: () => failed(1),
  "unattended-upgrade": () => ok(),
  clinfo: ({ machine, session }) => ok(clinfo(machine, session.uid === 0 || session.groups.includes("render"))),
  journalctl,
};

export function syclDevices(machine: VirtualMachine): string {
  return machine.hardware.gpus
    .map(
      (_, index) =>
        `[level_zero:gpu][level_zero:${index}] Intel(R) oneAPI Unified Runtime over Level-Zero, Intel(R) Arc(TM) A770 Graphics 12.55.8 [1.6.32224.500000]`,
    )
    .join("\n");
}

function bootOf(machine: VirtualMachine): Boot {
  if (machine.boot === null) throw new Error("the virtual host is off");
  return machine.boot;
}

function uname({ args, machine }: Call): CommandResult {
  const { release } = bootOf(machine);
  const fields: Record<string, string> = {
    s: "Linux",
    n: "arc-sim",
    r: release,
    v: `#${release.split("-")[1]}~22.04.1-Ubuntu SMP PREEMPT_DYNAMIC`,
    m: "x86_64",
    p: "x86_64",
    i: "x86_64",
    o: "GNU/Linux",
  };
  const asked = args.length === 0 ? "s" : args.join("").replaceAll("-", "");
  const letters = asked.includes("a")
    ? "snrvmpio"
    : [..."snrvmpio"].filter((letter) => asked.includes(letter)).join("");
  return ok([...letters].map((letter) => fields[letter]).join(" "));
}

/** Ubuntu restricts the kernel log to root (kernel.dmesg_restrict). */
function dmesg({ machine, session }: Call): CommandResult {
  if (session.uid !== 0) return failed(1, "dmesg: read kernel buffer failed: Operation not permitted");
  return ok(
    bootOf(machine)
      .kernelLog.map((line, at) => `[${(at * 0.137).toFixed(6).padStart(12)}] ${line}`)
      .join("\n"),
  );
}

async function modinfo({ args, machine }: Call): Promise<CommandResult> {
  const { options, operands } = splitOptions(args, ["-k", "-F"]);
  const release = options.get("-k") ?? bootOf(machine).release;
  const [name = ""] = operands;
  const fields = await moduleFields(machine, name, release);
  if (!fields) return failed(1, `modinfo: ERROR: Module ${name} not found.`);
  const one = options.get("-F") ?? (options.has("-n") ? "filename" : null);
  if (one !== null) return ok(fields[one] ?? "");
  return ok(
    Object.entries(fields)
      .map(([key, value]) => `${`${key}:`.padEnd(16)}${value}`)
      .join("\n"),
  );
}

async function moduleFields(
  machine: VirtualMachine,
  name: string,
  release: string,
): Promise<Record<string, string> | null> {
  const base = `/lib/modules/${release}`;
  if (name === "e1000e" && (await machine.disk.exists(`/boot/vmlinuz-${release}`))) {
    return { filename: `${base}/kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko`, license: "GPL v2" };
  }
  if (name !== "i915") return null;
  const dkms = `${base}/updates/dkms/i915.ko`;
  const inTree = `${base}/kernel/drivers/gpu/drm/i915/i915.ko`;
  const from = (await machine.disk.exists(dkms)) ? "dkms" : (await machine.disk.exists(inTree)) ? "in-tree" : null;
  if (from === null) return null;
  return {
    filename: from === "dkms" ? dkms : inTree,
    license: "GPL and additional rights",
    srcversion: i915SrcVersion(release, from),
    vermagic: `${release} SMP preempt mod_unload modversions`,
  };
}

function modprobe({ args, machine, session }: Call): CommandResult {
  if (session.uid !== 0) return failed(1, "modprobe: ERROR: could not insert: Operation not permitted");
  const rejected = args.includes("i915") && machine.firmware.secureBoot && bootOf(machine).driver === null;
  return rejected ? failed(1, "modprobe: ERROR: could not insert 'i915': Key was rejected by service") : ok();
}

async function updateInitramfs({ args, machine, session }: Call): Promise<CommandResult> {
  if (session.uid !== 0) return failed(1, "update-initramfs: You must be root");
  const { options } = splitOptions(args, ["-k"]);
  const release = options.get("-k") ?? bootOf(machine).release;
  await machine.pause(6_000);
  const releases =
    release === "all"
      ? (await machine.disk.readdir("/boot")).flatMap((name) => /^vmlinuz-(.+)/.exec(name)?.[1] ?? [])
      : [release];
  return ok(releases.map((each) => `update-initramfs: Generating /boot/initrd.img-${each}`).join("\n"));
}

async function sysctl({ args, machine }: Call): Promise<CommandResult> {
  const { options, operands } = splitOptions(args);
  const lines: string[] = [];
  for (const word of operands) {
    const [key, value] = word.split("=") as [string, string | undefined];
    const path = `/proc/sys/${key.replaceAll(".", "/")}`;
    if (value !== undefined) machine.disk.addFile(path, `${value}\n`);
    const text = await machine.disk.readText(path);
    if (text === null) return failed(255, `sysctl: cannot stat ${path}: No such file or directory`);
    lines.push(options.has("-n") ? text.trim() : `${key} = ${text.trim()}`);
  }
  return ok(lines.join("\n"));
}

function diskFree(path: string): string {
  const boot = path.startsWith("/boot");
  const [device, mib, used] = boot ? ["/dev/nvme0n1p2", 1_704, 410] : ["/dev/nvme0n1p3", 960_000, 142_000];
  return [
    "Filesystem     1048576-blocks   Used Available Capacity Mounted on",
    `${device} ${mib} ${used} ${Number(mib) - Number(used)} ${Math.round((Number(used) / Number(mib)) * 100)}% ${boot ? "/boot" : "/"}`,
  ].join("\n");
}

function ss({ args, machine }: Call): CommandResult {
  const port = Number(/sport\s*=\s*:?(\d+)/.exec(args.join(" "))?.[1] ?? Number.NaN);
  const sockets = [...machine.listeners].filter(([listening]) => Number.isNaN(port) || listening === port);
  const flags = args.filter((word) => /^-\w/.test(word)).join("");
  const rows = sockets.map(([listening, { address, process, pid }]) => {
    const users = flags.includes("p") ? ` users:(("${process}",pid=${pid},fd=7))` : "";
    return `LISTEN 0      2048         ${address}:${listening}      0.0.0.0:*   ${users}`;
  });
  const head = flags.includes("H") ? [] : ["State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process"];
  return ok([...head, ...rows].join("\n"));
}

function clinfo(machine: VirtualMachine, mayOpen: boolean): string {
  if (!mayOpen || bootOf(machine).driver === null) return "Number of platforms                               0";
  const device =
    "  Device Name                                     Intel(R) Arc(TM) A770 Graphics\n  Global memory size                              16225243136 (15.11GiB)";
  return ["Number of platforms                               1", ...machine.hardware.gpus.map(() => device)].join("\n");
}

function journalctl({ args, machine }: Call): CommandResult {
  const { options } = splitOptions(args, [
    "-u",
    "--unit",
    "-n",
    "--lines",
    "-o",
    "--output",
    "-p",
    "--priority",
    "-S",
    "--since",
  ]);
  const unit = options.get("-u") ?? options.get("--unit");
  const bootIndex = args.find((word) => /^-\d$/.test(word) && args[args.indexOf(word) - 1]?.startsWith("-b"));
  const bootId =
    bootIndex === undefined ? (machine.boot?.id ?? "") : (machine.bootIds.at(Number(bootIndex) - 1) ?? "none");
  const onlyBoot = options.has("-b") || options.has("-kb") || options.has("-k");
  const worst =
    { emerg: 0, alert: 1, crit: 2, err: 3, warning: 4, notice: 5, info: 6 }[
      options.get("-p") ?? options.get("--priority") ?? "info"
    ] ?? 6;
  const chosen = machine.journal.filter(
    (entry) =>
      (unit === undefined || entry.unit === unit || entry.unit === `${unit}.service`) &&
      (!options.has("-k") || entry.unit === "kernel") &&
      (!onlyBoot || entry.bootId === bootId) &&
      entry.priority <= worst,
  );
  const count = Number(options.get("-n") ?? options.get("--lines") ?? chosen.length);
  const shown = chosen.slice(Math.max(0, chosen.length - count));
  if (shown.length === 0) return ok("-- No entries --");
  const cat = (options.get("-o") ?? options.get("--output")) === "cat";
  return ok(
    shown
      .map(({ iso, unit: from, message }) => (cat ? message : `${iso.slice(0, 19)} arc-sim ${from}: ${message}`))
      .join("\n"),
  );
}
