import { exitCodeOf } from "../core/app-error.ts";
import { formatFailure } from "../core/format-failure.ts";
import { requireHosts } from "../inputs/require-hosts.ts";
import type { HostSpec, RunConfig } from "../inputs/run-config.ts";
import type { Playbook } from "../plan/playbook.ts";
import { provisionHost } from "../provision/provision-host.ts";
import type { ProvisionRecord } from "../provision/provision-record.ts";
import { provisionTable, recapTable } from "../report/host-tables.ts";
import type { CommandOutcome } from "./command-outcome.ts";
import { loadPlaybook } from "./load-playbook.ts";
import { requirePlaybook } from "./require-playbook.ts";
import type { World } from "./world.ts";

/** Brings every host to the state of the playbook. A host that fails does not stop the others; the worst exit code counts. */
export async function provision(config: RunConfig, world: World): Promise<CommandOutcome> {
  const playbook = await loadPlaybook(requirePlaybook(config), world);
  const records: ProvisionRecord[] = [];
  const failures: unknown[] = [];
  for (const host of requireHosts(config, "provision")) {
    await provisionOne(host, playbook, world, records).catch((error: unknown) => failures.push(error));
  }
  const parts = [
    ...records.map((record) => provisionTable(record)),
    ...(records.length > 0 ? [recapTable(records)] : []),
    ...failures.map(formatFailure),
  ];
  return {
    exitCode: failures.length === 0 ? 0 : Math.max(...failures.map(exitCodeOf)),
    text: parts.join("\n\n"),
    json: { records, failures: failures.map(formatFailure) },
  };
}

async function provisionOne(host: HostSpec, playbook: Playbook, world: World, records: ProvisionRecord[]) {
  const { clock, console, signal } = world;
  console.group(`Provision ${host.name}`);
  await using shell = await world.openShell(host);
  // Kept also when a later step fails: what was done must be told.
  const onRecord = async (record: ProvisionRecord) => void records.push(record);
  await provisionHost({ shell, clock, console, playbook, signal, onRecord });
}
