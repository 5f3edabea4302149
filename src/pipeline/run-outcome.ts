import type { Analysis } from "../analyse/comparison.ts";
import { AppError, exitCodeOf } from "../core/app-error.ts";
import type { GateDecision } from "../gate/gate-decision.ts";
import type { HostRun } from "./run-host.ts";

/** One host's run with what was made of it. */
export interface JudgedRun extends HostRun {
  readonly analysis: Analysis;
  readonly decision: GateDecision;
}

export interface RunOutcome {
  readonly hosts: readonly JudgedRun[];
  /** The worst decision over the hosts. */
  readonly decision: GateDecision;
}

/** One verdict for the whole run: the worst host decides, every host counts. */
export function outcomeOf(hosts: readonly JudgedRun[]): RunOutcome {
  const [first, ...others] = hosts.map((host) => host.decision);
  if (first === undefined) throw new Error("a run without hosts has no outcome");
  const worst = others.reduce((a, b) => (severity(b) > severity(a) ? b : a), first);
  const decisions = [first, ...others];
  const decision: GateDecision = {
    ...worst,
    comparisonCount: decisions.reduce((sum, { comparisonCount }) => sum + comparisonCount, 0),
    regressedMetrics: [...new Set(decisions.flatMap(({ regressedMetrics }) => regressedMetrics))],
    mdeMaxPct: decisions.reduce<number | null>((max, { mdeMaxPct }) => largest(max, mdeMaxPct), null),
    sentence: others.length === 0 ? worst.sentence : `${worst.sentence} (worst of ${decisions.length} runs)`,
  };
  return { hosts, decision };
}

/** What a run that ended by an error is judged as: the error decides, whatever was measured before it. */
export function failureDecision(error: unknown): GateDecision {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof AppError ? ` [${error.code}]` : "";
  return {
    status: "INVALID",
    exitCode: exitCodeOf(error),
    sentence: `INVALID: ${message.split("\n")[0]}${code}`,
    comparisonCount: 0,
    regressedMetrics: [],
    mdeMaxPct: null,
  };
}

function largest(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** A cancelled or broken run is worse than a regression, since nothing is known then. */
function severity({ exitCode }: GateDecision): number {
  const order = [0, 5, 1, 4, 3, 75, 2, 130, 70];
  return order.indexOf(exitCode);
}
