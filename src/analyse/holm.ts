/**
 * Holm's adjusted p values, in the order given: comparing each with alpha keeps the chance of one false alarm in the
 * whole family at alpha, whatever the dependence between the tests (Holm 1979).
 */
export function holmAdjusted(pValues: readonly number[]): number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(pValues.length);
  let highest = 0;
  for (const [rank, { p, index }] of order.entries()) {
    highest = Math.max(highest, Math.min(1, p * (order.length - rank)));
    adjusted[index] = highest;
  }
  return adjusted;
}

/** The chance of one false alarm that a family of `size` comparisons may have; larger families may have more. */
export function familyAlpha(size: number): number {
  return size <= 12 ? 0.01 : 0.05;
}
