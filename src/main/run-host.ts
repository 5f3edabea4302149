import { runWorkload } from "../bench/run-workload.ts";
import type { RunningServer } from "../deploy/deployment.ts";
import { guardServer, type ServerGuard } from "../deploy/guard-server.ts";
import { startServer } from "../deploy/start-server.ts";
import type { HostSpec, RunConfig, ServeSpec } from "../inputs/run-config.ts";
import type { Console } from "../ports/console.ts";
import type { Shell } from "../ports/shell.ts";
import { probeHost } from "../probe/probe-host.ts";
import { provisionHost } from "../provision/provision-host.ts";
import type { ProvisionRecord } from "../provision/provision-record.ts";
import {
  completeRecord,
  newRunRecord,
  withDeployment,
  withFacts,
  withFailure,
  withPoint,
  withProvision,
} from "../record/new-run-record.ts";
import type { RunRecord } from "../record/run-record.ts";
import { loadPlaybook } from "./load-playbook.ts";
import { type RecordJournal, startJournal } from "./record-journal.ts";
import type { World } from "./world.ts";

export interface HostRun {
  readonly record: RunRecord;
  readonly recordPath: string;
  /** What ended the run before its end; null when it went through. */
  readonly error: unknown;
}

/** The pipeline on one host, from the first look to the last load point. What was measured is kept whatever happens. */
export async function runHost(config: RunConfig, host: HostSpec, world: World): Promise<HostRun> {
  const journal = await startHostJournal(config, host, world);
  try {
    await using shell = await world.openShell(host);
    await prepare(config, shell, journal, world);
    if (config.serve !== null) await serveAndMeasure(config, config.serve, host, shell, journal, world);
    await journal.update((record) => completeRecord(record, world.clock.isoNow(), config.gate));
    return { record: journal.record, recordPath: journal.path, error: null };
  } catch (error) {
    await journal.update((record) => withFailure(record, error, world.clock.isoNow()));
    return { record: journal.record, recordPath: journal.path, error };
  }
}

/** Reads the host, brings it to the playbook's state, and reads it again when that changed anything. */
async function prepare(config: RunConfig, shell: Shell, journal: RecordJournal, world: World): Promise<void> {
  const { clock, console, signal } = world;
  console.group(`Check ${shell.host}`);
  const facts = await probeHost(shell, clock, { signal });
  await journal.update((record) => withFacts(record, facts));
  if (config.playbook === null) return;

  console.group(`Provision ${shell.host}`);
  const playbook = await loadPlaybook(config.playbook, world);
  const onRecord = (provision: ProvisionRecord) => journal.update((record) => withProvision(record, provision));
  const provision = await provisionHost({ shell, clock, console, playbook, facts, signal, onRecord });
  if (provision.steps.every((step) => step.status !== "changed")) return;
  const factsAfter = await probeHost(shell, clock, { signal });
  await journal.update((record) => withFacts(record, factsAfter));
}

async function serveAndMeasure(
  config: RunConfig,
  serve: ServeSpec,
  host: HostSpec,
  shell: Shell,
  journal: RecordJournal,
  world: World,
): Promise<void> {
  const { clock, console, models, signal } = world;
  console.group(`Serve ${serve.servedModelName} on ${host.name}`);
  const guard = guardFor(serve, shell, world);
  try {
    const server = await startServer({ shell, models, clock, console, serve, host, signal });
    await thenStop(server, console, () => measure(config, serve, server, journal, world));
  } finally {
    await guard?.release();
  }
}

/** The embedded host lives and dies with this process; every other one is told what to do when we are gone. */
function guardFor(serve: ServeSpec, shell: Shell, world: World): ServerGuard | null {
  if (serve.engine === "url") return null;
  world.rememberServer(shell.host, serve.port);
  return world.simulated ? null : guardServer(shell, serve.port, serve.engine);
}

async function measure(
  config: RunConfig,
  serve: ServeSpec,
  server: RunningServer,
  journal: RecordJournal,
  world: World,
): Promise<void> {
  const { clock, console, models, signal } = world;

  await journal.update((record) => withDeployment(record, server.deployment));
  for (const workload of config.workloads) {
    console.group(`Measure ${workload.name}`);
    await runWorkload({
      workload,
      baseUrl: server.deployment.baseUrl,
      model: server.deployment.servedModelName,
      apiKey: serve.apiKey,
      models,
      clock,
      signal,
      onPoint: (point) => journal.update((record) => withPoint(record, point)),
      onProgress: (line) => console.progress(line),
    });
  }
}

/** Stops the server whatever happens; a stop that fails never hides the failure of the work itself. */
async function thenStop(server: RunningServer, console: Console, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await server.stop().catch((stopError: unknown) => console.warn(`Also: ${String(stopError)}`));
    throw error;
  }
  await server.stop();
}

function startHostJournal(config: RunConfig, host: HostSpec, world: World): Promise<RecordJournal> {
  const { identity, source, simulated, files } = world;
  const run = config.hosts.length > 1 ? { ...identity, id: `${identity.id}-${host.name}` } : identity;
  const initial = newRunRecord({ run, source, simulated, host: host.name, workloads: config.workloads });
  return startJournal(initial, config.report.dir, files);
}
