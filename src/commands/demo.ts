import { createServer } from "node:net";
import type { HostSpec, RunConfig } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import { expectOk } from "../core/expect-ok.ts";
import type { Script } from "../core/script.ts";
import { judge } from "../pipeline/run.ts";
import { type HostRun, runHost } from "../pipeline/run-host.ts";
import { outcomeOf } from "../pipeline/run-outcome.ts";
import type { World } from "../pipeline/world.ts";
import { reportedOf, writeReports } from "../pipeline/write-reports.ts";
import { hostLoadTable } from "../report/host-load-table.ts";
import { provisionTable, recapTable } from "../report/host-tables.ts";
import { comparisonTable, loadPointTable } from "../report/measure-tables.ts";
import { explainLayouts } from "../report/why-tp.ts";
import { startEmbeddedHost } from "../sim/embedded-host.ts";
import { check } from "./check.ts";
import type { CommandOutcome } from "./command-outcome.ts";
import { demoConfig } from "./demo-config.ts";

export interface DemoRequest {
  /** Show the gate going red: something on the host changes between two measurements. */
  readonly regress: boolean;
  readonly reportDir: string;
}

const BANNER = "Everything below is simulated: an embedded host with two Arc A770 that exists only in this process.";

/** The whole pipeline against the embedded host: the same code as on a real one, on loopback only. */
export async function demo(request: DemoRequest, realWorld: World): Promise<CommandOutcome> {
  const { console, signal } = realWorld;
  console.info(BANNER);
  const modelPort = await freePort();
  const host = await startEmbeddedHost({ clock: realWorld.clock, modelPort });
  signal.addEventListener("abort", () => void host.stop(), { once: true });
  const world: World = { ...realWorld, simulated: true, loopWatch: null };
  try {
    const config = (cards: 1 | 2) => demoConfig({ ...host, modelPort }, request.reportDir, cards);
    await look(config(1), world);
    return request.regress ? await regression(oneComparison(config(1)), world) : await layouts(config, world);
  } finally {
    await host.stop();
  }
}

/** The bad state that users report, as `check` shows it. */
async function look(config: RunConfig, world: World): Promise<void> {
  world.console.group("Check the host as it was delivered (simulated)");
  world.console.info((await check(config, world)).text);
}

/** One card against two: the same model, the same load. The first run brings the host to the playbook's state. */
async function layouts(config: (cards: 1 | 2) => RunConfig, world: World): Promise<CommandOutcome> {
  const one = await measured(config(1), world, "one-card");
  const two = await measured({ ...config(2), playbook: null }, world, "two-cards");
  const outcome = outcomeOf([one, two].map((run) => judge(run, { records: [], place: "the demo" }, config(1))));
  await writeReports(reportedOf(outcome), config(1), world);
  const text = [
    BANNER,
    ...(one.record.provision === null
      ? []
      : [provisionTable(one.record.provision), recapTable([one.record.provision])]),
    "One card, tensor parallel 1 (simulated)",
    loadPointTable(one.record.points),
    "Two cards, tensor parallel 2 (simulated)",
    loadPointTable(two.record.points),
    ...hostLoadTable("The host with one card at work (simulated)", one.record.points),
    ...hostLoadTable("The host with two cards at work (simulated)", two.record.points),
    explainLayouts(one.record, two.record).join("\n\n"),
    `Reports are in ${config(1).report.dir}: junit.xml, summary.md, results.json and the records.`,
  ].join("\n\n");
  return { exitCode: 0, text, json: { one: one.record, two: two.record } };
}

/** One metric at one level: a single line that goes red shows the point best. */
function oneComparison(config: RunConfig): RunConfig {
  const rules = config.gate.rules.filter(({ metric }) => metric === "output_tok_s");
  const workloads = config.workloads.map((workload) => ({ ...workload, concurrency: [1] }));
  return { ...config, workloads, gate: { ...config.gate, rules } };
}

/** The same configuration twice; in between somebody's power saving tool resets the CPU governor. The gate must go red. */
async function regression(config: RunConfig, world: World): Promise<CommandOutcome> {
  const good = await measured(config, world, "baseline");
  await resetGovernor(config, world);
  const bad = await measured({ ...config, playbook: null }, world, "candidate");
  const judged = judge(bad, { records: [good.record], place: "the demo" }, config);
  const outcome = outcomeOf([judged]);
  await writeReports(reportedOf(outcome), config, world);
  const text = [
    BANNER,
    "Between the two measurements the CPU governor of the host was reset to powersave (simulated).",
    comparisonTable(judged.analysis),
    ...hostLoadTable("The host during the baseline (simulated)", good.record.points),
    ...hostLoadTable("The host afterwards (simulated)", bad.record.points),
    ...judged.analysis.differences.map(
      ({ field, baseline, current }) => `The environment differs: ${field} was ${baseline}, is ${current}`,
    ),
    outcome.decision.sentence,
  ].join("\n\n");
  return { exitCode: outcome.decision.exitCode, text, json: outcome.decision, decision: outcome.decision };
}

async function resetGovernor(config: RunConfig, world: World): Promise<void> {
  world.console.group("Reset the CPU governor to powersave behind the tool's back (simulated)");
  await using shell = await world.openShell(onlyHost(config));
  const script: Script = {
    name: "reset the CPU governor",
    text: "cpupower frequency-set -g powersave -d 800MHz",
    sudo: true,
  };
  expectOk(shell.host, script, await shell.run(script, { timeoutMs: 10_000 }));
}

/** One run of the pipeline, of which the demo needs the record; what goes wrong is thrown. */
async function measured(config: RunConfig, world: World, name: string): Promise<HostRun> {
  const named = { ...world, identity: { ...world.identity, id: `${world.identity.id}-${name}` } };
  const run = await runHost(
    config,
    onlyHost(config),
    named,
    config.workloads.map((workload) => ({ workload })),
  );
  if (run.error !== null) throw run.error;
  return run;
}

function onlyHost({ hosts }: RunConfig): HostSpec {
  const [host] = hosts;
  if (host === undefined) throw new Error("the demo has one host");
  return host;
}

/** Below the range from which the kernel takes ports for outgoing connections, one of which could take ours meanwhile. */
const FIRST_PORT = 20_000;
const PORTS = 10_000;

async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < PORTS; attempt += 1) {
    const port = FIRST_PORT + ((process.pid + attempt) % PORTS);
    if (await canListen(port)) return port;
  }
  throw new AppError("PORT_IN_USE", {
    message: `Cannot start the embedded host: no port from ${FIRST_PORT} to ${FIRST_PORT + PORTS - 1} is free on 127.0.0.1`,
    hint: "End what listens there",
  });
}

function canListen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.on("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
}
