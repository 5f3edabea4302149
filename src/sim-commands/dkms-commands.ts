import { addModule, buildModule } from "../sim-machine/dkms.ts";
import { type Call, type CommandResult, failed, ok, type StandIn, splitOptions } from "../sim-machine/stand-in.ts";
import type { DkmsEntry, VirtualMachine } from "../sim-machine/virtual-machine.ts";

export const dkmsCommands: Readonly<Record<string, StandIn>> = { dkms };

async function dkms(call: Call): Promise<CommandResult> {
  const { machine, session } = call;
  const { options, operands } = splitOptions(call.args, ["-k", "-m", "-v", "-a", "--kernelver"]);
  const [action = "status"] = operands;
  const release = options.get("-k") ?? options.get("--kernelver") ?? null;
  const [name = "", slashVersion] = (operands[1] ?? options.get("-m") ?? "").split("/");
  const version = slashVersion ?? options.get("-v") ?? "";
  const chosen = machine.dkms.filter(
    (entry) => [entry.name, ""].includes(name) && [entry.version, ""].includes(version),
  );
  if (action === "status") return ok(statusLines(chosen, release).join("\n"));
  if (session.uid !== 0) return failed(1, "Error! You must be root to use this command.");

  const target = release ?? machine.boot?.release ?? "";
  switch (action) {
    case "autoinstall":
    case "install":
    case "build":
      return build(machine, chosen, target);
    case "add":
      addModule(machine, name, version);
      return ok();
    case "remove":
    case "uninstall":
      return uninstall(machine, chosen, target);
    default:
      return failed(1, `Error! Unknown action specified: ${action}`);
  }
}

async function uninstall(
  machine: VirtualMachine,
  entries: readonly DkmsEntry[],
  release: string,
): Promise<CommandResult> {
  for (const entry of entries) entry.installed.delete(release);
  await machine.disk.rm(`/lib/modules/${release}/updates/dkms/i915.ko`, { force: true });
  return ok();
}

/** The form of dkms 2.8.7, which Ubuntu 22.04 has. */
function statusLines(entries: readonly DkmsEntry[], release: string | null): string[] {
  return entries.flatMap(({ name, version, installed }) => {
    const kernels = [...installed].filter((kernel) => release === null || kernel === release);
    if (installed.size === 0) return [`${name}/${version}: added`];
    return kernels.map((kernel) => `${name}/${version}, ${kernel}, x86_64: installed`);
  });
}

async function build(machine: VirtualMachine, entries: readonly DkmsEntry[], release: string): Promise<CommandResult> {
  const lines: string[] = [];
  for (const entry of entries) {
    const done = await buildModule(machine, entry, release);
    if (done.outcome === "skipped") {
      const folder = `/lib/modules/${release}`;
      return failed(
        1,
        `Error! Your kernel headers for kernel ${release} cannot be found at ${folder}/build or ${folder}/source.\nPlease install the linux-headers-${release} package or use the --kernelsourcedir option to tell DKMS where it's located.`,
      );
    }
    if (done.outcome === "failed") return failed(10, done.lines.join("\n"));
    lines.push(...done.lines);
  }
  return ok(lines.join("\n"));
}
