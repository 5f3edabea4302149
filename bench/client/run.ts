/**
 * Puts benchmark clients under known loads and scores what they say against the server's own log.
 *
 *   bash bench/client/build.sh
 *   npx tsx bench/client/run.ts --cells a1,a2,a3,d,e --clients sink,ours,vllm --repeats 3
 *   npx tsx bench/client/run.ts --cells b --clients sink,ours
 *
 * The server runs on core 0, the client with all its processes on core 1. Clients take turns in random order within
 * each repeat. A run whose server was late does not count and is tried again. Raw results: .cache/bench-client/results/.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, release } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Cell, cellsOf, LADDER, ladderCell } from "./cells.ts";
import { aiperf } from "./clients/aiperf.ts";
import type { BenchClient } from "./clients/bench-client.ts";
import { guidellm } from "./clients/guidellm.ts";
import { inferencePerf } from "./clients/inference-perf.ts";
import { ours } from "./clients/ours.ts";
import { prototype } from "./clients/prototype.ts";
import { sink } from "./clients/sink.ts";
import { vllm } from "./clients/vllm.ts";
import { type Bench, type RunResult, runOnce } from "./run-once.ts";
import { accuracyTable, openLoopTable, profileTable } from "./table.ts";

const root = resolve(import.meta.dirname, "../..");
const cache = join(root, ".cache");
const peers = join(cache, "bench-peers");
const tokenizer = join(peers, "tokenizer");

const { values: options } = parseArgs({
  options: {
    cells: { type: "string", default: "a3" },
    clients: { type: "string", default: "sink,ours" },
    repeats: { type: "string", default: "1" },
    attempts: { type: "string", default: "3" },
    ours: { type: "string", default: join(root, "dist/cli.cjs") },
    "node-flags": { type: "string", default: "" },
    "server-core": { type: "string", default: "0" },
    "client-core": { type: "string", default: "1" },
    nice: { type: "string", default: "-15" },
    "client-policy": { type: "string", default: "nice" },
    "max-late-ms": { type: "string", default: "0.2" },
    "max-waited-pct": { type: "string", default: "2" },
    "timeout-s": { type: "string", default: "180" },
    "keep-logs": { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
  },
});

const bench: Bench = {
  programs: join(cache, "bench-client"),
  serverCore: Number(options["server-core"]),
  clientCore: Number(options["client-core"]),
  nice: Number(options.nice),
  clientPolicy: options["client-policy"] === "rr" ? "rr" : "nice",
  maxLateMs: Number(options["max-late-ms"]),
  maxWaitedPct: Number(options["max-waited-pct"]),
  timeoutMs: Number(options["timeout-s"]) * 1000,
  keepLogs: options["keep-logs"],
};
const nodeFlags = options["node-flags"].split(" ").filter((flag) => flag !== "");
const known: readonly BenchClient[] = [
  sink(bench.programs),
  ours(resolve(options.ours), nodeFlags),
  vllm(join(cache, "real-vllm/venv/bin/vllm"), tokenizer),
  guidellm(join(peers, "guidellm/bin/guidellm"), tokenizer),
  aiperf(join(peers, "aiperf/bin/aiperf"), tokenizer),
  inferencePerf(join(peers, "inference-perf/bin/inference-perf"), tokenizer),
  ...["http", "undici", "net", "net-scan"].map((name) => prototype(name, nodeFlags)),
];

const results: RunResult[] = [];
let seedState = Number(options.seed);
const folder = join(bench.programs, "results", new Date().toISOString().replace(/[:.]/g, "-"));
await mkdir(folder, { recursive: true });
await main();

async function main(): Promise<void> {
  const clients = options.clients.split(",").flatMap(clientOf);
  console.log(
    `${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, kernel ${release()}, Node ${process.version}`,
  );
  for (const name of options.cells.split(",")) {
    if (name === "b") for (const client of clients) await climb(client);
    else if (name === "e" || name.startsWith("e-")) await compare(name, cellsOf(name), clients, 1, profileTable);
    else
      await compare(
        name,
        cellsOf(name),
        clients,
        Number(options.repeats),
        name === "d" ? openLoopTable : accuracyTable,
      );
  }
  console.log(`\nRaw results: ${join(folder, "results.json")}`);
}

function clientOf(name: string): BenchClient[] {
  const client = known.find((each) => each.name === name);
  if (client === undefined) throw new Error(`Unknown client "${name}": ${known.map((each) => each.name).join(", ")}`);
  const reason = client.missing();
  if (reason !== null) console.log(`skipped ${name}: ${reason}`);
  return reason === null ? [client] : [];
}

async function compare(
  name: string,
  cells: readonly Cell[],
  clients: readonly BenchClient[],
  repeats: number,
  table: (results: readonly RunResult[]) => string,
): Promise<void> {
  const mine: RunResult[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const cell of cells) {
      for (const client of shuffled(clients)) mine.push(...(await attempts(client, cell)));
    }
  }
  console.log(`\n### ${name}: ${cells.length === 1 ? cells[0]?.title : `${cells.length} profiles`}\n\n${table(mine)}`);
}

/** Runs until one run counts; all of them are kept. */
async function attempts(client: BenchClient, cell: Cell): Promise<RunResult[]> {
  const made: RunResult[] = [];
  for (let attempt = 0; attempt < Number(options.attempts); attempt += 1) {
    const result = await runOnce(bench, client, cell, join(folder, `${cell.name}-${client.name}-${results.length}`));
    made.push(result);
    results.push(result);
    await writeFile(join(folder, "results.json"), JSON.stringify(results, null, 1));
    const words = result.invalid.length === 0 ? "ok" : result.invalid.join(", ");
    console.error(`${cell.name} ${client.name}: ${words}`);
    if (result.invalid.length === 0) break;
  }
  return made;
}

/** Raises the load until TTFT error p99 passes 10 ms or fewer than 98 % of the streams are kept busy. */
async function climb(client: BenchClient): Promise<void> {
  console.log(`\n### b: ${client.name}, 128 streams on one core\n`);
  console.log(
    "| offered events/s | in flight % | TTFT error p99 (after 1st wave) | gap error p99 | us/event | core % | verdict |",
  );
  console.log("|---|---|---|---|---|---|---|");
  for (const offered of LADDER) {
    const run = (await attempts(client, ladderCell(offered))).at(-1)!;
    const { score, cost } = run;
    const ttft = score?.ttftAfterFirstWave?.p99 ?? Number.POSITIVE_INFINITY;
    const fails = [
      ...(ttft > 10 ? ["TTFT"] : []),
      ...((score?.inFlightPct ?? 0) < 98 ? ["load"] : []),
      ...run.invalid.map((words) => `invalid: ${words}`),
    ];
    console.log(
      `| ${offered} | ${score?.inFlightPct?.toFixed(1)} | ${ttft.toFixed(2)} | ${score?.gap?.p99.toFixed(2) ?? "-"} | ${cost?.usPerEvent.toFixed(1)} | ${cost?.corePct.toFixed(0)} | ${fails.length === 0 ? "ok" : fails.join(", ")} |`,
    );
    if (fails.length > 0) break;
  }
}

/** A fresh order each time, from the seed. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: nextRandom() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function nextRandom(): number {
  seedState = (Math.imul(seedState, 1_664_525) + 1_013_904_223) >>> 0;
  return seedState / 2 ** 32;
}
