import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cell } from "./cells.ts";
import type { BenchClient } from "./clients/bench-client.ts";
import { type MachineUse, machineUse, readMachine } from "./machine.ts";
import { type Cost, costOf, type Meter } from "./meter.ts";
import { type Score, score } from "./score.ts";
import { readTruthLog } from "./truth-log.ts";

export interface Bench {
  /** Folder of the compiled programs. */
  readonly programs: string;
  readonly serverCore: number;
  readonly clientCore: number;
  readonly nice: number;
  /** "rr": the client goes before everything else on its core, as the server always does; "nice": only by its nice value. */
  readonly clientPolicy: "rr" | "nice";
  /** A server later than this at its 99th percentile measures nothing. */
  readonly maxLateMs: number;
  /** A client of one thread that had to wait for its core for more of the time than this is not measured, its rivals are. */
  readonly maxWaitedPct: number;
  readonly timeoutMs: number;
  readonly keepLogs: boolean;
}

/** One run of one client under one cell. */
export interface RunResult {
  readonly client: string;
  readonly cell: string;
  readonly startedAt: string;
  readonly exitCode: number;
  /** Null: it wrote nothing that could be scored. */
  readonly score: Score | null;
  readonly cost: Cost | null;
  readonly serverCorePct: number;
  /** Busy time of the client's and the server's core that was neither of the two, %. */
  readonly foreignPct: { readonly client: number; readonly server: number };
  readonly machine: MachineUse;
  /** Why the figures do not count; empty: they do. */
  readonly invalid: readonly string[];
  readonly details: readonly string[];
  /** Pairs of the real ending and the claimed outcome, counted. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Starts the server and the client on their cores and scores what the client says. */
export async function runOnce(bench: Bench, client: BenchClient, cell: Cell, folder: string): Promise<RunResult> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const log = join(folder, "truth.jsonl");
  const server = await startServer(bench, cell, log, join(folder, "server-meter.json"));
  const before = readMachine();
  const startedAt = new Date().toISOString();
  const run = { cell, port: server.port, folder };
  let problem: string | null = null;
  try {
    await runClient(bench, client, run);
  } catch (error) {
    problem = String(error);
  }
  const machine = machineUse(before, readMachine());
  await server.stop();

  const meter = await readMeter(join(folder, "client-meter.json"));
  const serverMeter = await readMeter(join(folder, "server-meter.json"));
  const truths = await readTruthLog(log);
  const claims = await client.read(run).catch((error: unknown) => {
    problem ??= String(error);
    return [];
  });
  const scored = claims.length === 0 ? null : score(claims, truths, cell.ratePerS === null ? cell.streams : 0);
  const wallMs = (meter.endedNs - meter.startedNs) / 1e6;
  const serverCorePct = (100 * serverMeter.cpuMs) / wallMs;
  const clientCorePct = (100 * meter.cpuMs) / wallMs;
  const cost = scored === null || scored.paired === 0 ? null : costOf(meter, scored);
  if (!bench.keepLogs) await rm(log, { force: true });
  return {
    client: client.name,
    cell: cell.name,
    startedAt,
    exitCode: meter.exitCode,
    score: scored,
    cost,
    serverCorePct,
    foreignPct: {
      client: (machine.corePct[bench.clientCore] ?? 0) - clientCorePct,
      server: (machine.corePct[bench.serverCore] ?? 0) - serverCorePct,
    },
    machine,
    invalid: [
      ...(problem === null ? [] : [problem]),
      ...invalidityOf(bench, { isOneThread: client.isOneThread === true, scored, cost, serverCorePct, machine }),
    ],
    details: [...new Set(claims.filter(({ ok }) => !ok).map(({ detail }) => detail))].slice(0, 5),
    outcomes: countOutcomes(claims, truths, scored),
  };
}

interface Circumstances {
  readonly isOneThread: boolean;
  readonly scored: Score | null;
  readonly cost: Cost | null;
  readonly serverCorePct: number;
  readonly machine: MachineUse;
}

function invalidityOf(bench: Bench, { isOneThread, scored, cost, serverCorePct, machine }: Circumstances): string[] {
  const lateMs = scored?.serverLateMs?.p99 ?? 0;
  const waitedPct = isOneThread ? (cost?.waitedPct ?? 0) : 0;
  return [
    ...(lateMs > bench.maxLateMs ? [`server late by ${lateMs.toFixed(2)} ms (p99)`] : []),
    ...(serverCorePct > 70 ? [`server used ${serverCorePct.toFixed(0)} % of its core`] : []),
    ...(machine.stealPct > 1 ? [`${machine.stealPct.toFixed(1)} % steal`] : []),
    ...(waitedPct > bench.maxWaitedPct ? [`client waited for its core ${waitedPct.toFixed(1)} % of the time`] : []),
  ];
}

function countOutcomes(
  claims: readonly { ok: boolean }[],
  truths: readonly { streamed: boolean; ending: string }[],
  scored: Score | null,
): Record<string, number> {
  const ok = claims.filter((claim) => claim.ok).length;
  return {
    claimedOk: ok,
    claimedFailed: claims.length - ok,
    falseOk: scored?.falseOk ?? 0,
    falseFailure: scored?.falseFailure ?? 0,
    sentComplete: truths.filter((truth) => truth.streamed && truth.ending === "complete").length,
  };
}

async function readMeter(path: string): Promise<Meter> {
  return JSON.parse(await readFile(path, "utf8")) as Meter;
}

function metered(
  bench: Bench,
  { core, out, policy }: { core: number; out: string; policy: readonly string[] },
  argv: readonly string[],
  env?: Record<string, string>,
) {
  const meter = [join(bench.programs, "meter"), "--core", String(core), "--nice", String(bench.nice)];
  const rest = [...policy, "--out", out, "--", ...argv];
  // The meter itself runs beside the server, where it costs the client nothing.
  return spawn("taskset", ["-c", String(bench.serverCore), ...meter, ...rest], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
}

async function startServer(bench: Bench, cell: Cell, log: string, out: string) {
  const child = metered(bench, { core: bench.serverCore, out, policy: ["--policy", "fifo"] }, [
    ...[join(bench.programs, "truth-server"), "--port", "0", "--log", log, "--seed", "1"],
    ...["--ttft-ms", String(cell.ttftMs), "--itl-ms", String(cell.itlMs), "--jitter", String(cell.jitter)],
  ]);
  const ended = endOf(child);
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on("data", (text: Buffer) => resolve(Number(/listening on (\d+)/.exec(text.toString())?.[1])));
    child.on("error", reject);
    child.on("exit", () => reject(new Error("the truth server did not start")));
  });
  return {
    port,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function runClient(bench: Bench, client: BenchClient, run: { cell: Cell; port: number; folder: string }) {
  const { argv, env, files } = client.command(run);
  for (const [name, text] of Object.entries(files ?? {})) await writeFile(join(run.folder, name), text);
  const policy = bench.clientPolicy === "rr" ? ["--policy", "rr"] : [];
  const out = join(run.folder, "client-meter.json");
  const child = metered(bench, { core: bench.clientCore, out, policy }, argv, { ...env });
  const output: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => output.push(bytes));
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGTERM");
  }, bench.timeoutMs);
  await endOf(child);
  clearTimeout(timer);
  await writeFile(join(run.folder, "output.txt"), Buffer.concat(output));
  if (isLate) throw new Error(`ended after ${bench.timeoutMs} ms`);
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.on("close", () => resolve()));
}
