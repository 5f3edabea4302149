import { onTestFinished } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { runScript } from "../../src/sim/bash-session.ts";
import { type MachineOptions, startMachine } from "../../src/sim/start-machine.ts";
import { groupsOf } from "../../src/sim-commands/account-commands.ts";
import { cutPower, requestPower } from "../../src/sim-machine/power.ts";
import type { CommandResult } from "../../src/sim-machine/stand-in.ts";
import type { VirtualMachine } from "../../src/sim-machine/virtual-machine.ts";

export interface BootedMachine {
  readonly machine: VirtualMachine;
  /** Runs a script as the login user, in a session that knows the groups of now. */
  run(text: string): Promise<CommandResult>;
  sudo(text: string): Promise<CommandResult>;
  /** Resolves once the host is up again. */
  reboot(): Promise<void>;
}

/** A virtual host without an SSH server around it, on which time runs 5000 times faster. Gone when the test ends. */
export async function bootedMachine(over: Partial<MachineOptions> = {}): Promise<BootedMachine> {
  const closing = new AbortController();
  const machine = await startMachine({ clock: systemClock, modelPort: 0, speed: 5000, ...over }, closing.signal);
  onTestFinished(() => {
    closing.abort();
    cutPower(machine);
  });
  const session = { machine, signal: closing.signal, live: null, speak: null };
  return {
    machine,
    run: async (text) =>
      runScript({ ...session, user: machine.user, uid: 1000, groups: await groupsOf(machine, machine.user) }, text),
    sudo: (text) => runScript({ ...session, user: "root", uid: 0, groups: ["root"] }, text),
    async reboot() {
      const boots = machine.bootIds.length;
      requestPower(machine, "reboot");
      while (machine.bootIds.length === boots || machine.boot === null) await systemClock.sleep(2);
    },
  };
}

/** Makes Intel's repository known to the host. */
export const ADD_INTEL_REPOSITORY = `
curl -fsSL https://repositories.intel.com/gpu/intel-graphics.key | gpg --dearmor --yes --output /usr/share/keyrings/intel-graphics.gpg
echo 'deb [arch=amd64 signed-by=/usr/share/keyrings/intel-graphics.gpg] https://repositories.intel.com/gpu/ubuntu jammy client' > /etc/apt/sources.list.d/intel.list
apt-get update
`;

export const INSTALL_KERNEL = `
apt-get install -y linux-image-6.5.0-35-generic linux-headers-6.5.0-35-generic linux-modules-extra-6.5.0-35-generic linux-tools-6.5.0-35-generic
`;

const ENTRY =
  "gnulinux-advanced-5f0c1a2e-8d3b-4c67-9a51-0de4a770a770>gnulinux-6.5.0-35-generic-advanced-5f0c1a2e-8d3b-4c67-9a51-0de4a770a770";

/** Makes 6.5.0-35 what GRUB boots from now on. */
export const BOOT_KERNEL = `
echo GRUB_DEFAULT=saved > /etc/default/grub.d/90-test.cfg
update-grub
grub-set-default '${ENTRY}'
`;

/** Boots 6.5.0-35 once. */
export const BOOT_KERNEL_ONCE = `grub-reboot '${ENTRY}'`;
