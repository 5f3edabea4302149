/**
 * Boots a lab host and keeps it until Ctrl-C: `npx tsx scripts/lab/run.ts [rebar-on|rebar-off|rebar-partial]`.
 * Prints how to log in and where its console log is. Needs root.
 */
import { once } from "node:events";
import { join } from "node:path";
import { startLabHost } from "../../test/lab/lab-host.ts";
import { HARDWARE_VARIANTS, type HardwareVariant } from "./image/hardware.ts";

await main(process.argv[2] ?? "rebar-off");

async function main(hardware: string): Promise<void> {
  if (!isVariant(hardware))
    throw new Error(`Cannot boot "${hardware}": choose ${Object.keys(HARDWARE_VARIANTS).join(", ")}`);
  await using host = await startLabHost({ hardware });
  const { port, user } = host.spec;
  const key = join(host.consolePath, "../id_ed25519");
  console.log(`Simulated Arc host (${hardware}), kernel ${host.boots.at(-1)}
  log in    ssh -i ${key} -o UserKnownHostsFile=${join(host.consolePath, "../known_hosts")} -p ${port} ${user}@127.0.0.1
  console   ${host.consolePath}
Ctrl-C switches it off and removes it.`);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
}

function isVariant(name: string): name is HardwareVariant {
  return Object.hasOwn(HARDWARE_VARIANTS, name);
}
