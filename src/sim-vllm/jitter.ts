/** Uniform numbers in [0, 1) from a seed (mulberry32): the same seed gives the same run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Factors near 1 for step times: a level that moves every few seconds by about 0.6 %, as clocks and neighbours do, and
 * 1 % noise on each step. Without it every repeat would be equal and a comparison would have nothing to decide.
 */
export function stepJitter(seed: number): (atMs: number) => number {
  const random = seededRandom(seed);
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const bounded = (sigma: number) => 1 + Math.max(-2.5, Math.min(2.5, gaussian())) * sigma;
  let level = bounded(0.006);
  let untilMs = Number.NEGATIVE_INFINITY;
  return (atMs) => {
    if (atMs > untilMs) {
      level = bounded(0.006);
      untilMs = atMs + 2_000;
    }
    return level * bounded(0.01);
  };
}
