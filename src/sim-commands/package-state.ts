import { compareVersions } from "../sim-machine/debian-version.ts";
import { addModule, buildModule, hasHeaders, moduleVersion } from "../sim-machine/dkms.ts";
import { buildsOn, type CatalogPackage, catalogFor, kernelOf } from "../sim-machine/package-catalog.ts";
import type { VirtualMachine } from "../sim-machine/virtual-machine.ts";
import { regenerateGrub } from "./grub-commands.ts";

/** Everything on offer after the last `apt-get update`. */
export function offered(machine: VirtualMachine): readonly CatalogPackage[] {
  return catalogFor(machine.aptSources, machine.faults.has("kernel-not-in-archive") ? ["6.5.0-35-generic"] : []);
}

/** Every version of a package that the sources offer, newest first, with where it comes from. */
export function versionsOf(
  machine: VirtualMachine,
  name: string,
): readonly { version: string; from: CatalogPackage }[] {
  return offered(machine)
    .filter((entry) => entry.name === name)
    .flatMap((from) => from.versions.map((version) => ({ version, from })))
    .sort((left, right) => compareVersions(right.version, left.version));
}

export interface PackageChange {
  readonly name: string;
  readonly version: string;
}

/** Unpacks and configures one package: files, programs, kernel hooks. False: its post-installation script failed. */
export async function installPackage(
  machine: VirtualMachine,
  { name, version }: PackageChange,
  manual: boolean,
): Promise<{ readonly configured: boolean; readonly lines: readonly string[] }> {
  const before = machine.packages.get(name);
  const entry = {
    version,
    state: "installed" as const,
    held: before?.held ?? false,
    manual: manual || (before?.manual ?? false),
  };
  machine.packages.set(name, entry);
  for (const command of commandsOf(machine, name)) {
    machine.disk.addProgram(command);
  }
  const lines = await configure(machine, name, version);
  if (lines.failed) machine.packages.set(name, { ...entry, state: "half-configured" });
  await writeDpkgStatus(machine);
  return { configured: !lines.failed, lines: lines.output };
}

export async function removePackage(machine: VirtualMachine, name: string, purge: boolean): Promise<void> {
  const entry = machine.packages.get(name);
  if (!entry) return;
  for (const command of commandsOf(machine, name)) await machine.disk.removeProgram(command);
  const kernel = kernelOf(name);
  if (kernel?.part === "image") {
    await machine.disk.rm(`/boot/vmlinuz-${kernel.release}`, { force: true });
    await machine.disk.rm(`/boot/initrd.img-${kernel.release}`, { force: true });
    await regenerateGrub(machine);
  }
  if (kernel?.part === "headers")
    await machine.disk.rm(`/lib/modules/${kernel.release}/build`, { recursive: true, force: true });
  if (name === "intel-i915-dkms") await removeModule(machine, moduleVersion(entry.version));
  if (purge) machine.packages.delete(name);
  else machine.packages.set(name, { ...entry, state: "config-files" });
  await writeDpkgStatus(machine);
}

/** Runs the part of the installation that a failed script left open: `dpkg --configure`. */
export async function configure(
  machine: VirtualMachine,
  name: string,
  version: string,
): Promise<{ readonly failed: boolean; readonly output: readonly string[] }> {
  const kernel = kernelOf(name);
  if (kernel) return { failed: false, output: await configureKernel(machine, kernel.part, kernel.release) };
  if (name !== "intel-i915-dkms") return { failed: false, output: [] };

  const module = addModule(machine, name, moduleVersion(version));
  const running = machine.boot?.release ?? "";
  const output = [`Loading new ${name}-${module.version} DKMS files...`, `Building for ${running}`];
  const build = await buildModule(machine, module, running);
  output.push(...build.lines);
  if (build.outcome === "failed") return { failed: true, output };
  const others = installedReleases(machine).filter((release) => release !== running);
  for (const release of others.filter((other) => hasHeaders(machine, other) && buildsOn(module.version, other))) {
    output.push(...(await buildModule(machine, module, release)).lines);
  }
  return { failed: false, output };
}

/** The text of /var/lib/dpkg/status, in case someone reads it without dpkg-query. */
async function writeDpkgStatus(machine: VirtualMachine): Promise<void> {
  const blocks = [...machine.packages].map(([name, { version, state, held }]) =>
    [
      `Package: ${name}`,
      `Status: ${held ? "hold" : "install"} ok ${state}`,
      "Architecture: amd64",
      `Version: ${version}`,
      "",
    ].join("\n"),
  );
  await machine.disk.writeFile("/var/lib/dpkg/status", blocks.join("\n"));
}

async function configureKernel(machine: VirtualMachine, part: string, release: string): Promise<string[]> {
  const { disk } = machine;
  if (part === "image") {
    disk.addFile(`/boot/vmlinuz-${release}`, "kernel image (simulated)\n", { mode: 0o600, size: 14_500_000 });
    disk.addFile(`/boot/initrd.img-${release}`, "initial ramdisk (simulated)\n", { size: 108_000_000 });
    disk.addFile(`/boot/config-${release}`, "CONFIG_DRM_I915=m\n");
    await regenerateGrub(machine);
    return [
      `update-initramfs: Generating /boot/initrd.img-${release}`,
      "Sourcing file `/etc/default/grub'",
      "Generating grub configuration file ...",
      "done",
    ];
  }
  if (part === "modules-extra") disk.addFile(`/lib/modules/${release}/kernel/drivers/gpu/drm/i915/i915.ko`, "i915\n");
  if (part !== "headers") return [];
  disk.addFile(`/lib/modules/${release}/build/include/linux/version.h`, "/* simulated */\n");
  const builds = await Promise.all(machine.dkms.map((entry) => buildModule(machine, entry, release)));
  return builds.flatMap(({ lines }) => [...lines]);
}

function installedReleases(machine: VirtualMachine): string[] {
  const releases = [...machine.packages].flatMap(([name, { state }]) =>
    state === "installed" ? (kernelOf(name)?.release ?? []) : [],
  );
  return [...new Set(releases)];
}

async function removeModule(machine: VirtualMachine, version: string): Promise<void> {
  const at = machine.dkms.findIndex((entry) => entry.version === version);
  const [removed] = at < 0 ? [] : machine.dkms.splice(at, 1);
  for (const release of removed?.installed ?? []) {
    await machine.disk.rm(`/lib/modules/${release}/updates/dkms/i915.ko`, { force: true });
  }
}

function commandsOf(machine: VirtualMachine, name: string): readonly string[] {
  return offered(machine).find((entry) => entry.name === name)?.commands ?? [];
}
