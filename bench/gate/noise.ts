import { seededNormal } from "../../test/fakes/example-sample.ts";

export interface NoiseSource {
  /** Standard normal. */
  normal(): number;
  /** The factor on ln(throughput) of one run, of which a `share` is 8 to 30 % slow; 0 for all others. */
  spike(share: number): number;
}

/** Everything from one stream, so that one seed gives everything. */
export function noiseSource(seed: number): NoiseSource {
  const normal = seededNormal(seed);
  // The logistic curve is within 0.01 of the normal distribution's own: near enough to choose by.
  const uniform = () => 1 / (1 + Math.exp(-1.702 * normal()));
  return { normal, spike: (share) => (uniform() < share ? Math.log(1 - 0.08 - 0.22 * uniform()) : 0) };
}

/** A share as the tables show it. */
export function shown(value: number): string {
  return value === 0 ? "0" : value.toFixed(value < 0.01 ? 4 : 3);
}
