import { compareFamily } from "../../src/analyse/compare.ts";
import { PAIR_LOOKS, PAIRED } from "../../src/analyse/design.ts";
import { sample } from "../../test/fakes/example-sample.ts";
import { noiseSource, shown } from "./noise.ts";

/**
 * Operating characteristics of the paired, sequential comparison, alone in its family, by seeded simulation:
 * `npx tsx bench/gate/paired.ts [trials] [seed]`. Prints a table of docs/gating.md.
 */
const trials = Number(process.argv[2] ?? 10_000);
const { normal, spike } = noiseSource(Number(process.argv[3] ?? 20_260_924));
const rule = { metric: "output_tok_s", deltaPct: 3, budgetPct: 5, floor: null } as const;

interface Noise {
  readonly name: string;
  /** Standard deviation of ln(value) of a fresh run. */
  readonly sd: number;
  /** Size of a slow drift of the host over the study (its standard deviation per run, as a random walk). */
  readonly drift: number;
  /** Share of runs that are 8 to 30 % slow. */
  readonly spikes: number;
}

const NOISES: readonly Noise[] = [
  { name: "sd .3 %", sd: 0.003, drift: 0, spikes: 0 },
  { name: "sd 1.1 %, .4 % spiked runs", sd: 0.011, drift: 0, spikes: 0.004 },
  { name: "sd 1.1 % on a host that drifts by 1 % per run", sd: 0.011, drift: 0.01, spikes: 0 },
  { name: "sd 2 %, 2 % spiked runs", sd: 0.02, drift: 0, spikes: 0.02 },
  { name: "sd 3 %", sd: 0.03, drift: 0, spikes: 0 },
];
const DROPS = [0, 0.03, 0.05, 0.08, 0.12];

/** Eight pairs in random order; the host's drift goes on from run to run. */
function measure(noise: Noise, drop: number): { baseline: number[]; current: number[] } {
  const baseline: number[] = [];
  const current: number[] = [];
  let drift = 0;
  const run = (factor: number) => {
    drift += normal() * noise.drift;
    const slowed = spike(noise.spikes);
    return 100 * factor * Math.exp(drift + normal() * noise.sd + slowed);
  };
  for (let pair = 0; pair < 8; pair += 1) {
    if (normal() > 0) {
      baseline.push(run(1));
      current.push(run(1 - drop));
    } else {
      current.push(run(1 - drop));
      baseline.push(run(1));
    }
  }
  return { baseline, current };
}

/** The first decision, and after how many pairs. */
function decide(noise: Noise, drop: number): { status: string; pairs: number } {
  const { baseline, current } = measure(noise, drop);
  for (const pairs of PAIR_LOOKS) {
    const match = {
      baseline: sample("output_tok_s", baseline.slice(0, pairs)),
      current: sample("output_tok_s", current.slice(0, pairs)),
      rule,
    };
    const status = compareFamily([match], PAIRED)[0]?.status ?? "INVALID";
    if (status !== "INCONCLUSIVE") return { status, pairs };
  }
  return { status: "INCONCLUSIVE", pairs: 8 };
}

console.log(`\n${trials} trials per row\n`);
console.log("| noise of a run | drop | REGRESSION | PASS | INCONCLUSIVE | pairs |");
console.log("| :--- | ---: | ---: | ---: | ---: | ---: |");
for (const noise of NOISES) {
  for (const drop of DROPS) {
    const made = Array.from({ length: trials }, () => decide(noise, drop));
    const share = (...statuses: string[]) =>
      shown(made.filter(({ status }) => statuses.includes(status)).length / trials);
    const pairs = (made.reduce((sum, { pairs: count }) => sum + count, 0) / trials).toFixed(1);
    const cells = [share("REGRESSION"), share("PASS", "IMPROVED"), share("INCONCLUSIVE"), pairs];
    console.log(`| ${noise.name} | ${100 * drop} % | ${cells.join(" | ")} |`);
  }
}
