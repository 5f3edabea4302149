import type { Workload } from "../config/run-config.ts";
import { seededRandom } from "../prompts/seeded-random.ts";

type Shape = Pick<Workload, "requestsPerLevel" | "arrivals" | "burstiness" | "rampFromRate" | "ramp" | "durationMs">;

/**
 * Offsets in ms of the arrivals of an open loop at `ratePerS` requests per second. Gaps are exponential (Poisson),
 * constant, or gamma with the shape `burstiness`, all with the mean 1 / rate, and are not rescaled afterwards, which
 * would take away the randomness of a Poisson process. With a ramp the rate rises over the requests,
 * linearly or exponentially, as in vllm/benchmarks/serve.py but without its rounding to whole rates.
 */
export function arrivalsMs(shape: Shape, ratePerS: number, seed: string): readonly number[] {
  const { requestsPerLevel, rampFromRate = ratePerS, durationMs = Number.POSITIVE_INFINITY } = shape;
  const unitGap = unitGaps(shape, seededRandom(seed));
  const rateAt = (progress: number) =>
    shape.ramp === "exponential"
      ? rampFromRate * (ratePerS / rampFromRate) ** progress
      : rampFromRate + (ratePerS - rampFromRate) * progress;
  const arrivals: number[] = [];
  let atMs = 0;
  for (let index = 0; index < requestsPerLevel; index += 1) {
    const progress = requestsPerLevel === 1 ? 1 : index / (requestsPerLevel - 1);
    atMs += (unitGap() * 1000) / rateAt(progress);
    if (atMs >= durationMs) break;
    arrivals.push(atMs);
  }
  return arrivals;
}

/** Random gaps of mean 1. */
function unitGaps({ arrivals = "poisson", burstiness = 1 }: Shape, random: () => number): () => number {
  if (arrivals === "constant") return () => 1;
  if (arrivals === "gamma") return () => gamma(burstiness, random) / burstiness;
  return () => exponential(random);
}

function exponential(random: () => number): number {
  return -Math.log(1 - random());
}

/** A gamma variate of scale 1: Marsaglia and Tsang (2000), with their boost for shapes below 1. */
function gamma(shape: number, random: () => number): number {
  if (shape < 1) return gamma(shape + 1, random) * (1 - random()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
