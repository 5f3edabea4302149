import { seededRandom } from "../prompts/seeded-random.ts";

export type Arm = "baseline" | "current";

/**
 * Which arm of a pair is measured first: an independent coin per pair, so that warmth and drift of the host favour
 * neither. The same seed gives the same order; reports print it.
 */
export function armOrder(seed: string, pair: number): readonly [Arm, Arm] {
  return seededRandom(`${seed}/pair/${pair}`)() < 0.5 ? ["baseline", "current"] : ["current", "baseline"];
}
