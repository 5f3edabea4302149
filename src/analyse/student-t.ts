import jStat from "jstat";

/** The t with P(T <= t) = p for Student's distribution with `df` degrees of freedom (need not be whole). */
export function studentQuantile(p: number, df: number): number {
  return jStat.studentt.inv(p, df);
}

/** P(T > t): how often chance alone gives more than `t`. */
export function studentUpperTail(t: number, df: number): number {
  // From the lower tail, since 1 - cdf loses all digits for a large t.
  return jStat.studentt.cdf(-t, df);
}
