import { seededRandom } from "./seeded-random.ts";

/** Offsets in ms of `count` Poisson arrivals at `ratePerS` requests per second: exponential gaps, not rescaled. */
export function poissonArrivals(count: number, ratePerS: number, seed: string): readonly number[] {
  const random = seededRandom(seed);
  let atMs = 0;
  return Array.from({ length: count }, () => {
    atMs += (-Math.log(1 - random()) * 1000) / ratePerS;
    return atMs;
  });
}
