import type { HostSpec, RunConfig } from "../config/run-config.ts";
import { exitCodeOf } from "../core/app-error.ts";
import { formatFailure } from "../core/format-failure.ts";
import { requireHosts } from "../inputs/require-hosts.ts";
import type { RunOptions } from "../inputs/run-options.ts";
import { onEveryHost } from "../pipeline/on-every-host.ts";
import type { World } from "../pipeline/world.ts";
import type { ProvisionRecord } from "../provision/provision-record.ts";
import { undoHost } from "../provision/undo-host.ts";
import { provisionTable } from "../report/host-tables.ts";
import type { CommandOutcome } from "./command-outcome.ts";

interface HostUndo {
  readonly record: ProvisionRecord | null;
  readonly failure: unknown;
}

interface UndoOptions extends Pick<RunOptions, "hosts-at-once"> {
  /** Null: the last run that changed something and is not undone yet. */
  readonly run?: string | null;
}

/** Puts back on every host what a run changed. */
export async function undo(
  config: RunConfig,
  world: World,
  { run: runId = null, "hosts-at-once": atOnce }: UndoOptions = {},
): Promise<CommandOutcome> {
  const work = (host: HostSpec, own: World) => undoOne(host, runId, own);
  const hosts = await onEveryHost(requireHosts(config, "undo"), world, work, atOnce);
  const failures = hosts.flatMap(({ failure }) => (failure === null ? [] : [failure]));
  const records = hosts.flatMap(({ record }) => record ?? []);
  return {
    exitCode: failures.length === 0 ? 0 : Math.max(...failures.map(exitCodeOf)),
    text: [...records.map((record) => provisionTable(record)), ...failures.map(formatFailure)].join("\n\n"),
    json: { records, failures: failures.map(formatFailure) },
  };
}

async function undoOne(host: HostSpec, runId: string | null, world: World): Promise<HostUndo> {
  const { clock, console, signal } = world;
  let record: ProvisionRecord | null = null;
  const onRecord = async (done: ProvisionRecord) => {
    record = done;
  };
  console.group(`Undo on ${host.name}`);
  try {
    await using shell = await world.openShell(host);
    await undoHost({ shell, clock, console, runId, signal, onRecord, lockWaitMs: host.lockTimeoutMs ?? 0 });
    return { record, failure: null };
  } catch (failure) {
    return { record, failure };
  }
}
