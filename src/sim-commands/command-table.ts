import { packageOfCommand } from "../sim-machine/package-catalog.ts";
import type { StandIn } from "../sim-machine/stand-in.ts";
import type { VirtualMachine } from "../sim-machine/virtual-machine.ts";
import { accountCommands } from "./account-commands.ts";
import { aptCommands } from "./apt-commands.ts";
import { cpupowerCommands } from "./cpupower-command.ts";
import { dkmsCommands } from "./dkms-commands.ts";
import { dockerCommands } from "./docker-command.ts";
import { dpkgCommands } from "./dpkg-commands.ts";
import { gpuCommands } from "./gpu-commands.ts";
import { grubCommands } from "./grub-commands.ts";
import { networkCommands } from "./network-commands.ts";
import { type ExitTrap, shellCommands } from "./shell-commands.ts";
import { systemCommands } from "./system-commands.ts";
import { systemdCommands } from "./systemd-commands.ts";

/** Every command of the virtual host that the interpreter does not bring itself. */
export function commandTable(exitTraps: ExitTrap[]): Readonly<Record<string, StandIn>> {
  return {
    ...shellCommands(exitTraps),
    ...systemCommands,
    ...accountCommands,
    ...aptCommands,
    ...dpkgCommands,
    ...dkmsCommands,
    ...grubCommands,
    ...systemdCommands,
    ...gpuCommands,
    ...cpupowerCommands,
    ...networkCommands,
    ...dockerCommands,
  };
}

/** Whether the package that brings a command is on the host; a command of no package always is. */
export function isCommandPresent(machine: VirtualMachine, command: string): boolean {
  const owner = packageOfCommand(command);
  return owner === null || machine.packages.get(owner)?.state === "installed";
}
