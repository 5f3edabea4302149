/**
 * Measures a pass over twenty steps that finds nothing to do, with ours, Ansible and pyinfra, on real sshds.
 * `npx tsx bench/converge/run.ts --hosts 1,4,8 --repeats 5` prints docs/converge.md's table. Needs root,
 * openssh-server, openssh-client and a bundle in dist/ (or `--cli PATH`).
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { installPeers } from "./install-peers.ts";
import { machineLines } from "./machine.ts";
import { type MeasuredRun, measuredRun } from "./measured-run.ts";
import { type SshdHost, startSshdHosts } from "./sshd-hosts.ts";
import { type Measurement, resultTables } from "./tables.ts";
import { type Tool, tools } from "./tools.ts";

const FOLDER = "/tmp/arc-vllm-converge";

const { values } = parseArgs({
  options: {
    hosts: { type: "string", default: "1,4,8" },
    repeats: { type: "string", default: "5" },
    cli: { type: "string", default: "dist/cli.cjs" },
    /** Only tools whose name holds this. */
    only: { type: "string", default: "" },
  },
});
const hostCounts = values.hosts.split(",").map(Number);

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(join(FOLDER, "cp"), { recursive: true });
const venv = installPeers(resolve(".cache/converge"));
const all = await startSshdHosts(Math.max(...hostCounts), FOLDER);
const userKey = join(FOLDER, "user_key");
const userKeyText = readFileSync(userKey, "utf8");
const known = tools({ cli: resolve(values.cli), venv, userKey, userKeyText });
const chosen = known.filter(({ name }) => name.includes(values.only));
try {
  reachEndState(known[0]!, all.slice(0, 1));
  const measurements = hostCounts.flatMap((count) => measure(all.slice(0, count)));
  console.log([...machineLines(venv), "", resultTables(measurements)].join("\n"));
  writeFileSync(join(FOLDER, "measurements.json"), JSON.stringify(measurements));
} finally {
  for (const host of all) host.stop();
}

/** The first pass changes the hosts; that every other tool then sees nothing to do proves that all want the same. */
function reachEndState(tool: Tool, hosts: readonly SshdHost[]): void {
  const folder = join(FOLDER, "first-pass");
  mkdirSync(folder);
  const { argv, env } = tool.prepare(hosts, folder);
  const { exitCode, output } = measuredRun(argv, { env, cwd: folder });
  if (exitCode !== 0) throw new Error(`The first pass failed: ${output}`);
}

/** One pass of each tool that does not count, then the repeats; the order of the tools is new in each. */
function measure(hosts: readonly SshdHost[]): Measurement[] {
  const results = chosen.map((tool): Measurement => ({ tool: tool.name, hosts: hosts.length, passes: [] }));
  for (let repeat = 0; repeat <= Number(values.repeats); repeat += 1) {
    for (const index of shuffled(chosen.map((_, position) => position))) {
      const tool = chosen[index]!;
      const pass = runOnce(tool, hosts);
      console.error(`${hosts.length} hosts, pass ${repeat}, ${tool.name}: ${(pass.wallMs / 1000).toFixed(2)} s`);
      if (repeat > 0) results[index]!.passes.push(pass);
    }
  }
  return results;
}

function runOnce(tool: Tool, hosts: readonly SshdHost[]) {
  const folder = join(FOLDER, "pass");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const { argv, env, assertNoChange } = tool.prepare(hosts, folder);
  const before = counted(hosts);
  const run: MeasuredRun = measuredRun(argv, { env, cwd: folder });
  const after = counted(hosts);
  if (run.exitCode !== 0) throw new Error(`${tool.name} ended with ${run.exitCode}: ${run.output}`);
  assertNoChange(run.output);
  for (const host of hosts) host.dropConnections();
  return {
    wallMs: run.wallMs,
    cpuMs: run.cpuMs,
    sessions: (after.sessions - before.sessions) / hosts.length,
    connections: (after.connections - before.connections) / hosts.length,
  };
}

function counted(hosts: readonly SshdHost[]) {
  const counts = hosts.map((host) => host.counts());
  return {
    sessions: counts.reduce((sum, { sessions }) => sum + sessions, 0),
    connections: counts.reduce((sum, { connections }) => sum + connections, 0),
  };
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
