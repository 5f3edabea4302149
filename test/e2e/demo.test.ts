import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { HostTelemetry } from "../../src/measure/host-telemetry.ts";
import { runCli } from "./mini-runner.ts";

interface DemoRecord {
  readonly simulated: boolean;
  readonly deployment: { readonly tensorParallel: number };
  readonly points: readonly {
    concurrency: number;
    metrics: { ttftMs: { p50: number }; tpotMs: { p50: number } };
    host?: HostTelemetry;
  }[];
  readonly provision: { readonly reboots: number; readonly converged: boolean } | null;
}

/** The published pair (ipex-llm#12190), and how far the client may be from it on a busy machine. */
const PUBLISHED = { 1: { ttftMs: 100.48, tpotMs: 15.19 }, 2: { ttftMs: 69.22, tpotMs: 21.78 } } as const;

it("demo provisions the embedded host, serves on one and on two cards, and measures what was published", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "arc-vllm-demo-"));
  const { exitCode, stdout, stderr } = await runCli(["demo"], { cwd });
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain("Rebooting arc-demo");
  expect(stdout).toContain("TPOT p50 ms/token");
  expect(stdout).toContain("run 2 independent instances");

  const folder = join(cwd, "arc-vllm-report");
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const names = readdirSync(folder).filter((name) => name.startsWith("record-"));
  const records = names.map((name) => JSON.parse(read(name)) as DemoRecord);
  expect(records.map(({ simulated }) => simulated)).toEqual([true, true]);
  expect(records.find(({ provision }) => provision !== null)?.provision).toMatchObject({ reboots: 2, converged: true });
  expect(stdout).toMatch(/The host with two cards at work \(simulated\)[\s\S]*J\/token/);
  for (const { deployment, points } of records) {
    // A load point of two seconds has room for one look or two; on a busy machine not each has both of its edges.
    const hosts = points.flatMap(({ host }) => (host?.gpuJPerToken == null ? [] : host));
    expect(hosts[0]?.gpus[0]).toMatchObject({ clockMedianMhz: 2400, throttledPct: 0, powerW: expect.any(Number) });
    const published = PUBLISHED[deployment.tensorParallel as 1 | 2];
    const single = points.filter(({ concurrency }) => concurrency === 1);
    expect(Math.min(...single.map(({ metrics }) => metrics.ttftMs.p50)) / published.ttftMs).toBeCloseTo(1, 0.7);
    expect(Math.min(...single.map(({ metrics }) => metrics.tpotMs.p50)) / published.tpotMs).toBeCloseTo(1, 0.9);
  }
  for (const name of ["junit.xml", "summary.md", "results.json"]) expect(read(name)).toMatch(/simulated/i);
});

it("demo --regress goes red with exit code 1 and one JUnit failure with baseline, value and interval", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "arc-vllm-demo-"));
  const { exitCode, stdout, stderr } = await runCli(["demo", "--regress"], { cwd });
  expect(exitCode, stderr).toBe(1);
  expect(stdout).toMatch(/^REGRESSION: output tok\/s -\d/m);
  const cpuMhz = [...stdout.matchAll(/The host (during the baseline|afterwards)[\s\S]*?chat c=1 .*? (4200|1200) /g)];
  expect(cpuMhz.map(([, when, mhz]) => [when, mhz])).toEqual([
    ["during the baseline", "4200"],
    ["afterwards", "1200"],
  ]);
  const junit = readFileSync(join(cwd, "arc-vllm-report/junit.xml"), "utf8");
  const failures = [...junit.matchAll(/<failure[^>]*>([\s\S]*?)<\/failure>/g)].map(([, text]) => text ?? "");
  expect(failures).toHaveLength(1);
  expect(failures[0]).toMatch(/baseline +\d[\s\S]*value +\d[\s\S]*95 % CI +-/);
});
