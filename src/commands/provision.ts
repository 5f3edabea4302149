import type { HostSpec, RunConfig } from "../config/run-config.ts";
import { exitCodeOf } from "../core/app-error.ts";
import { formatFailure } from "../core/format-failure.ts";
import { requireHosts } from "../inputs/require-hosts.ts";
import type { RunOptions } from "../inputs/run-options.ts";
import { loadPlaybook } from "../pipeline/load-playbook.ts";
import { onEveryHost } from "../pipeline/on-every-host.ts";
import { ownBootId } from "../pipeline/own-boot-id.ts";
import type { World } from "../pipeline/world.ts";
import { writeHostFacts } from "../pipeline/write-host-facts.ts";
import { renderDiff } from "../plan/render-diff.ts";
import type { Playbook } from "../playbook/playbook.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { provisionHost } from "../provision/provision-host.ts";
import type { ProvisionRecord } from "../provision/provision-record.ts";
import { provisionTable, recapTable } from "../report/host-tables.ts";
import { paintDiff } from "../report/paint-diff.ts";
import type { CommandOutcome } from "./command-outcome.ts";
import { requirePlaybook } from "./require-playbook.ts";

interface HostProvision {
  readonly host: string;
  /** What was done; also there when a step failed. Null when nothing was begun. */
  readonly record: ProvisionRecord | null;
  /** The host as it was read last; null when it could not be read. */
  readonly facts: HostFacts | null;
  /** Null when the host is as the playbook wants it. */
  readonly failure: unknown;
}

/** Brings all hosts to the state of the playbook. A host that fails does not stop the others; the worst exit code counts. */
export async function provision(
  config: RunConfig,
  world: World,
  { "hosts-at-once": atOnce }: Pick<RunOptions, "hosts-at-once"> = {},
): Promise<CommandOutcome> {
  const playbook = await loadPlaybook(requirePlaybook(config), world);
  const hosts = await onEveryHost(
    requireHosts(config, "provision"),
    world,
    (host, own) => provisionOne(host, playbook, own),
    atOnce,
  );
  await writeHostFacts(hosts, config, world);
  const records = hosts.flatMap(({ record }) => record ?? []);
  const failures = hosts.flatMap(({ failure }) => (failure === null ? [] : [failure]));
  const parts = [
    ...records.flatMap((record) => [provisionTable(record, { color: world.color }), ...changesOf(record, world)]),
    ...(records.length > 0 ? [recapTable(records)] : []),
    ...failures.map(formatFailure),
  ];
  return {
    exitCode: failures.length === 0 ? 0 : Math.max(...failures.map(exitCodeOf)),
    text: parts.join("\n\n"),
    json: { records, failures: failures.map(formatFailure) },
  };
}

/** What was changed on the host, line by line; nothing when it was as it has to be. */
function changesOf(record: ProvisionRecord, { color }: World): string[] {
  const changes = renderDiff(record.steps);
  return changes === "" ? [] : [paintDiff(changes, { color })];
}

async function provisionOne(host: HostSpec, playbook: Playbook, world: World): Promise<HostProvision> {
  const { clock, console, signal } = world;
  let record: ProvisionRecord | null = null;
  let facts: HostFacts | null = null;
  const onRecord = async (written: ProvisionRecord) => {
    record = written;
  };
  const onFacts = (read: HostFacts) => {
    facts = read;
  };
  console.group(`Provision ${host.name}`);
  try {
    await using shell = await world.openShell(host);
    await provisionHost({
      ...{ shell, clock, console, playbook, signal, onRecord, onFacts },
      ownBootId: await ownBootId(world),
      lockWaitMs: host.lockTimeoutMs ?? 0,
    });
    return { host: host.name, record, facts, failure: null };
  } catch (failure) {
    return { host: host.name, record, facts, failure };
  }
}
