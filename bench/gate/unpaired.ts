import { compareFamily, type Match } from "../../src/analyse/compare.ts";
import type { Status } from "../../src/analyse/comparison.ts";
import type { MetricName } from "../../src/config/run-config.ts";
import { exampleGate } from "../../test/fakes/example-record.ts";
import { sample } from "../../test/fakes/example-sample.ts";
import { noiseSource, shown } from "./noise.ts";

/**
 * How often the comparison of two runs is wrong, and how often it finds a change, by seeded simulation:
 * `npx tsx bench/gate/unpaired.ts [trials] [seed]`. Prints the tables of docs/gating.md.
 */
const trials = Number(process.argv[2] ?? 10_000);
const { normal, spike } = noiseSource(Number(process.argv[3] ?? 20_260_924));

interface Noise {
  readonly name: string;
  /** Standard deviations of ln(value): between repeats on one server, and between server starts. */
  readonly repeatSd: number;
  readonly startSd: number;
  /** Share of repeats that are 8 to 30 % slow. */
  readonly spikes: number;
}

const NOISES: readonly Noise[] = [
  { name: "sd 1.1 %, all of it between repeats", repeatSd: 0.011, startSd: 0, spikes: 0 },
  { name: "sd 1.1 %, half between server starts", repeatSd: 0.0078, startSd: 0.0078, spikes: 0 },
  { name: "sd 1.1 %, most between server starts", repeatSd: 0.005, startSd: 0.01, spikes: 0 },
  { name: "the same with 2 % spiked repeats", repeatSd: 0.0078, startSd: 0.0078, spikes: 0.02 },
  { name: "quiet: sd 0.4 %", repeatSd: 0.003, startSd: 0.003, spikes: 0 },
  { name: "noisy: sd 2.1 %", repeatSd: 0.015, startSd: 0.015, spikes: 0 },
];
const DROPS = [0.03, 0.05, 0.08, 0.12, 0.2];

function run(metric: MetricName, noise: Noise, factor: number, repeats: number): number[] {
  const start = normal() * noise.startSd;
  return Array.from({ length: repeats }, () => {
    const slowed = spike(noise.spikes);
    const isBetterHigh = metric === "output_tok_s";
    return 100 * factor * Math.exp(start + normal() * noise.repeatSd + (isBetterHigh ? slowed : -slowed));
  });
}

function match(metric: MetricName, noise: Noise, factor: number, repeats: number): Match {
  const rule = exampleGate().rules.find((candidate) => candidate.metric === metric);
  if (rule === undefined) throw new Error(`no rule for ${metric}`);
  const before = run(metric, noise, 1, repeats);
  return { baseline: sample(metric, before), current: sample(metric, run(metric, noise, factor, repeats)), rule };
}

/** One run of the default gates; only throughput changes, which is the hardest case for the family. */
function verdicts(noise: Noise, drop: number, repeats: number): Status[] {
  const ttftNoise = { ...noise, repeatSd: noise.repeatSd * 4, startSd: noise.startSd * 4 };
  return compareFamily([
    match("output_tok_s", noise, 1 - drop, repeats),
    match("tpot_p50_ms", noise, 1, repeats),
    match("ttft_p50_ms", ttftNoise, 1, repeats),
  ]).map(({ status }) => status);
}

interface Rates {
  readonly regression: number;
  readonly pass: number;
  readonly anyRed: number;
}

function rates(noise: Noise, drop: number, repeats: number): Rates {
  const made = Array.from({ length: trials }, () => verdicts(noise, drop, repeats));
  const share = (holds: (statuses: Status[]) => boolean) => made.filter(holds).length / trials;
  return {
    regression: share(([throughput]) => throughput === "REGRESSION"),
    pass: share(([throughput]) => throughput === "PASS" || throughput === "IMPROVED"),
    anyRed: share((statuses) => statuses.includes("REGRESSION")),
  };
}

for (const repeats of [3, 5, 1]) {
  console.log(`\n${repeats} repeats on each side, ${trials} trials per cell\n`);
  const heads = [
    "noise",
    "any of 3 gates red, no change",
    "PASS, no change",
    ...DROPS.map((drop) => `-${100 * drop} % found`),
  ];
  console.log(`| ${heads.join(" | ")} | -5 % passed |`);
  console.log(`| :--- |${" ---: |".repeat(heads.length)}`);
  for (const noise of NOISES) {
    const unchanged = rates(noise, 0, repeats);
    const dropped = DROPS.map((drop) => rates(noise, drop, repeats));
    const passed = dropped[DROPS.indexOf(0.05)]?.pass ?? 0;
    const cells = [unchanged.anyRed, unchanged.pass, ...dropped.map(({ regression }) => regression), passed];
    console.log(`| ${noise.name} | ${cells.map(shown).join(" | ")} |`);
  }
}
