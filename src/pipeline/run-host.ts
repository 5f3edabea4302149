import { runWorkload } from "../bench/run-workload.ts";
import { apiOf } from "../config/endpoint-api.ts";
import type { HostSpec, PlaybookRef, RunConfig, ServeSpec } from "../config/run-config.ts";
import type { RunningServer } from "../deploy/deployment.ts";
import { guardServer, type ServerGuard } from "../deploy/guard-server.ts";
import { startServer } from "../deploy/start-server.ts";
import { watchHost } from "../measure/host-sampler.ts";
import { leftOutWarnings } from "../playbook/select-steps.ts";
import type { Console } from "../ports/console.ts";
import type { Shell } from "../ports/shell.ts";
import type { HostFacts } from "../probe/host-facts.ts";
import { probeHost } from "../probe/probe-host.ts";
import { type HostLease, takeLease } from "../provision/host-lease.ts";
import { provisionHost } from "../provision/provision-host.ts";
import {
  completeRecord,
  newRunRecord,
  withCertificate,
  withDeployment,
  withFacts,
  withFailure,
  withPoint,
  withProvision,
  withWarnings,
} from "../record/new-run-record.ts";
import type { RunRecord } from "../record/run-record.ts";
import { type CertifiedWork, certified } from "./certified.ts";
import { loadPlaybook } from "./load-playbook.ts";
import { nextLevelOf } from "./next-level-of.ts";
import { ownBootId } from "./own-boot-id.ts";
import { reachServer, type ServerReach, tunnelWarnings } from "./reach.ts";
import type { ReadyWorkload } from "./read-workload-files.ts";
import { type RecordJournal, startJournal } from "./record-journal.ts";
import type { World } from "./world.ts";

export interface HostRun {
  readonly record: RunRecord;
  readonly recordPath: string;
  /** What ended the run before its end; null when it went through. */
  readonly error: unknown;
}

/** The pipeline on one host, from the first look to the last load point. What was measured is kept whatever happens. */
export async function runHost(
  config: RunConfig,
  host: HostSpec,
  world: World,
  workloads: readonly ReadyWorkload[],
): Promise<HostRun> {
  const journal = await startHostJournal(config, host, world);
  try {
    await using shell = await world.openShell(host);
    world.console.group(`Check ${host.name}`);
    const facts = await probeHost(shell, world.clock, { signal: world.signal });
    await journal.update((record) => withFacts(record, facts));
    await using lease = await holdHost(config, host, shell, facts, world);
    if (config.playbook !== null) await prepare(config.playbook, shell, facts, lease, journal, world);
    if (config.serve !== null)
      await serveAndMeasure({ ...config, ready: workloads }, config.serve, host, shell, journal, world);
    await journal.update((record) => completeRecord(record, world.clock.isoNow(), config.gate));
    return { record: journal.record, recordPath: journal.path, error: null };
  } catch (error) {
    await journal.update((record) => withFailure(record, error, world.clock.isoNow()));
    return { record: journal.record, recordPath: journal.path, error };
  }
}

/** Two runs on one host spoil each other's numbers. Without root there is no lock, and a server elsewhere is not held. */
async function holdHost(
  config: RunConfig,
  { lockTimeoutMs = LOCK_WAIT_MS }: HostSpec,
  shell: Shell,
  facts: HostFacts,
  world: World,
): Promise<HostLease | null> {
  const { clock, console, signal, identity } = world;
  const works = config.playbook !== null || (config.serve !== null && config.serve.engine !== "url");
  if (!works || facts.login.canSudo !== true) return null;
  const owner = identity.url ?? `run ${identity.id}`;
  return takeLease({ shell, clock, console, owner, waitMs: lockTimeoutMs, sudo: true, signal });
}

/** A run that was just killed lets go within seconds; another one that measures does not. */
const LOCK_WAIT_MS = 30_000;

/** Brings the host to the playbook's state, and reads it again when that changed anything. */
async function prepare(
  ref: PlaybookRef,
  shell: Shell,
  facts: HostFacts,
  lease: HostLease | null,
  journal: RecordJournal,
  world: World,
): Promise<void> {
  const { clock, console, signal } = world;
  const playbook = await loadPlaybook(ref, world);
  await journal.update((record) => withWarnings(record, leftOutWarnings(playbook)));
  console.group(`Provision ${shell.host}`);
  const provision = await provisionHost({
    ...{ shell, clock, console, facts, signal, playbook },
    ownBootId: await ownBootId(world),
    ...(lease === null ? {} : { lease }),
    onRecord: (done) => journal.update((record) => withProvision(record, done)),
  });
  if (provision.steps.every((step) => step.status !== "changed")) return;
  const factsAfter = await probeHost(shell, clock, { signal });
  await journal.update((record) => withFacts(record, factsAfter));
}

/** What to measure, and how long to check this client before. */
interface ToMeasure extends Pick<RunConfig, "certificateSeconds"> {
  readonly ready: readonly ReadyWorkload[];
}

async function serveAndMeasure(
  toMeasure: ToMeasure,
  serve: ServeSpec,
  host: HostSpec,
  shell: Shell,
  journal: RecordJournal,
  world: World,
): Promise<void> {
  const { clock, console, signal } = world;
  const reach = reachServer(serve, shell, world);
  const { models } = reach;
  console.group(`Serve ${serve.servedModelName} on ${host.name}`);
  const guard = guardFor(serve, shell, world);
  try {
    const owner = guard === null ? {} : { owner: guard.owner };
    const api = apiOf(toMeasure.ready.map(({ workload }) => workload));
    const server = await startServer({ shell, models, clock, console, serve, host, signal, api, ...owner });
    await thenStop(server, console, () =>
      world.measureInTurn(() => measure(toMeasure, serve, server, shell, journal, reach, world)),
    );
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
  { ready, certificateSeconds }: ToMeasure,
  serve: ServeSpec,
  server: RunningServer,
  shell: Shell,
  journal: RecordJournal,
  reach: ServerReach,
  world: World,
): Promise<void> {
  const { clock, console, signal, loopWatch } = world;

  const { models } = reach;
  const deployment = await reach.explain(server.deployment);
  await journal.update((record) => withWarnings(withDeployment(record, deployment), tunnelWarnings(deployment)));
  await using watch = watchHost(shell, clock, { sudo: journal.record.facts?.login.canSudo === true, signal });
  const measureAll = async (onReady: () => Promise<void>) => {
    for (const each of ready) {
      console.group(`Measure ${each.workload.name}`);
      await runWorkload({
        ...each,
        ...nextLevelOf(each.workload),
        baseUrl: deployment.baseUrl,
        model: deployment.servedModelName,
        apiKey: serve.apiKey,
        models,
        clock,
        signal,
        onReady,
        onPoint: (point) => journal.update((record) => withPoint(record, point)),
        onProgress: console.progress,
        hostSamples: watch.seen,
        ...(loopWatch === null ? {} : { loopWatch }),
      });
    }
    return journal.record.points;
  };
  const work: CertifiedWork = {
    workloads: ready.map(({ workload }) => workload),
    seconds: certificateSeconds,
    measure: measureAll,
    keep: (certificate) => journal.update((record) => withCertificate(record, certificate)),
  };
  await certified(work, world);
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
