/** The two functions we use; the package ships no types. */
declare module "jstat" {
  interface StudentT {
    /** Quantile: the t with P(T <= t) = p. */
    inv(p: number, df: number): number;
    cdf(t: number, df: number): number;
  }
  const jStat: { readonly studentt: StudentT };
  // biome-ignore lint/style/noDefaultExport: this is how the package exports.
  export default jStat;
}
