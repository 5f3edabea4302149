import { compareVersions } from "../sim-machine/debian-version.ts";
import { parseGrubDefaults, parseGrubEnv, renderGrubConfig, renderGrubEnv } from "../sim-machine/grub.ts";
import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "../sim-machine/stand-in.ts";
import type { VirtualMachine } from "../sim-machine/virtual-machine.ts";

const GRUBENV = "/boot/grub/grubenv";
const CONFIG = "/boot/grub/grub.cfg";

export const grubCommands: Readonly<Record<string, StandIn>> = {
  "update-grub": updateGrub,
  "grub-mkconfig": async (call) => {
    const { options } = splitOptions(call.args, ["-o", "--output"]);
    const to = options.get("-o") ?? options.get("--output");
    if (to !== undefined) return writeConfig(call, to);
    return ok(await currentConfig(call.machine));
  },
  "grub-editenv": editEnv,
  "grub-set-default": (call) => setVariable(call, "saved_entry"),
  "grub-reboot": (call) => setVariable(call, "next_entry"),
  "grub-script-check": async ({ args, machine }) => {
    const text = await machine.disk.readText(args.at(-1) ?? "");
    return text?.includes("menuentry") ? ok() : failed(1, "syntax error");
  },
  // A plain partition: GRUB can write to its environment block there.
  "grub-probe": ({ args }) => ok(args.some((word) => word.includes("abstraction")) ? "" : "ext2"),
};

/** Releases with an image in /boot, newest first. */
export async function bootableReleases(machine: VirtualMachine): Promise<readonly string[]> {
  const names = await machine.disk.readdir("/boot");
  const releases = names.flatMap((name) => /^vmlinuz-(.+)$/.exec(name)?.[1] ?? []);
  return releases.sort((left, right) => compareVersions(right, left));
}

/** Writes grub.cfg anew from /boot and /etc/default/grub, as kernel packages and update-grub do. */
export async function regenerateGrub(machine: VirtualMachine, path = CONFIG): Promise<void> {
  await machine.disk.writeFile(path, await currentConfig(machine));
}

async function updateGrub(call: Call): Promise<CommandResult> {
  return writeConfig(call, CONFIG);
}

async function writeConfig({ machine, session }: Call, path: string): Promise<CommandResult> {
  if (session.uid !== 0) return failed(1, `grub-mkconfig: You must run this as root`);
  await machine.pause(2_000);
  await regenerateGrub(machine, path);
  const images = (await bootableReleases(machine)).flatMap((release) => [
    `Found linux image: /boot/vmlinuz-${release}`,
    `Found initrd image: /boot/initrd.img-${release}`,
  ]);
  const lines = ["Sourcing file `/etc/default/grub'", "Generating grub configuration file ...", ...images];
  return failed(0, [...lines, "Adding boot menu entry for UEFI Firmware Settings ...", "done"].join("\n"));
}

async function currentConfig(machine: VirtualMachine): Promise<string> {
  const dropIns = (await machine.disk.readdir("/etc/default/grub.d")).filter((name) => name.endsWith(".cfg")).sort();
  const paths = ["/etc/default/grub", ...dropIns.map((name) => `/etc/default/grub.d/${name}`)];
  const texts = await Promise.all(paths.map((path) => machine.disk.readText(path)));
  return renderGrubConfig(await bootableReleases(machine), parseGrubDefaults(texts.map((text) => text ?? "")));
}

async function editEnv({ args, machine, session }: Call): Promise<CommandResult> {
  const [file, action, ...words] = args;
  const path = file === "-" || file === undefined ? GRUBENV : file;
  const text = await machine.disk.readText(path);
  if (action === "create") {
    await machine.disk.writeFile(path, renderGrubEnv({}));
    return ok();
  }
  if (text === null) return failed(1, `grub-editenv: error: cannot open \`${path}': No such file or directory.`);
  const variables = parseGrubEnv(text);
  if (action === "list")
    return ok(
      Object.entries(variables)
        .map(([name, value]) => `${name}=${value}`)
        .join("\n"),
    );
  if (session.uid !== 0) return failed(1, `grub-editenv: error: cannot open \`${path}': Permission denied.`);
  for (const word of words) {
    if (action === "unset") delete variables[word];
    else variables[word.slice(0, word.indexOf("="))] = word.slice(word.indexOf("=") + 1);
  }
  await machine.disk.writeFile(path, renderGrubEnv(variables));
  return ok();
}

async function setVariable(
  { args, machine, session }: Call,
  name: "saved_entry" | "next_entry",
): Promise<CommandResult> {
  const entry = splitOptions(args).operands[0];
  if (entry === undefined) return failed(1, "Not enough arguments.");
  if (session.uid !== 0) return failed(1, `grub-editenv: error: cannot open \`${GRUBENV}': Permission denied.`);
  const variables = parseGrubEnv((await machine.disk.readText(GRUBENV)) ?? "");
  await machine.disk.writeFile(GRUBENV, renderGrubEnv({ ...variables, [name]: entry }));
  return ok();
}
