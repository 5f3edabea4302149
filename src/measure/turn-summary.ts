import type { SessionPlan } from "../prompts/session-maker.ts";
import { distributionOf } from "./distribution.ts";
import type { RequestTrace, TurnSummary } from "./load-point.ts";
import { e2eMsOf, tpotMsOf, ttftMsOf } from "./summarize.ts";

/** The same figures for the first turn of all sessions, the second, and so on; empty for requests without sessions. */
export function summarizeTurns(traces: readonly RequestTrace[]): TurnSummary[] {
  const byTurn = new Map<number, RequestTrace[]>();
  for (const trace of traces) {
    if (trace.turn === undefined) continue;
    byTurn.set(trace.turn.turn, [...(byTurn.get(trace.turn.turn) ?? []), trace]);
  }
  return [...byTurn].sort(([a], [b]) => a - b).map(([turn, requests]) => summarizeTurn(turn, requests));
}

function summarizeTurn(turn: number, requests: readonly RequestTrace[]): TurnSummary {
  const ok = requests.filter(({ outcome }) => outcome === "ok");
  const known = (read: (trace: RequestTrace) => number | null) => ok.map(read).filter((value) => value !== null);
  return {
    turn,
    requests: requests.length,
    ok: ok.length,
    promptTokens: distributionOf(known(({ promptTokens }) => promptTokens)),
    ttftMs: distributionOf(known(ttftMsOf)),
    tpotMs: distributionOf(known(tpotMsOf)),
    e2eMs: distributionOf(known(e2eMsOf)),
  };
}

/**
 * Share of the prompt tokens that were prompt or answer of the turn before in the same session. Null when the server
 * does not say how long a prompt was.
 */
export function repeatedInSessions(traces: readonly RequestTrace[]): number | null {
  const ok = traces.filter(({ outcome }) => outcome === "ok");
  const before = new Map<string, number | null>();
  for (const { turn, promptTokens, outputTokens } of ok) {
    const said = promptTokens === null || outputTokens === null ? null : promptTokens + outputTokens;
    before.set(keyOf(turn), said);
  }
  let repeated = 0;
  let all = 0;
  for (const { turn, promptTokens } of ok) {
    if (promptTokens === null || turn === undefined) return null;
    const said = turn.turn === 1 ? 0 : (before.get(keyOf({ ...turn, turn: turn.turn - 1 })) ?? null);
    if (said === null) return null;
    repeated += Math.min(said, promptTokens);
    all += promptTokens;
  }
  return all === 0 ? null : repeated / all;
}

/** A session that ended with a failure leaves turns unsent: later turns then have fewer requests. */
export function cutSessions(traces: readonly RequestTrace[], plans: readonly SessionPlan[]): string[] {
  const failed = traces.filter(({ outcome }) => outcome !== "ok" && outcome !== "cancelled");
  const unsent = failed.map(({ turn }) => (plans[turn?.session ?? 0]?.turns.length ?? 0) - (turn?.turn ?? 0));
  const turns = unsent.reduce((sum, count) => sum + count, 0);
  if (turns === 0) return [];
  const sessions = `${failed.length} of ${plans.length} sessions ended with a turn that failed`;
  return [`${sessions}: ${turns} ${turns === 1 ? "turn was" : "turns were"} not sent`];
}

function keyOf(turn: RequestTrace["turn"]): string {
  return `${turn?.session}/${turn?.turn}`;
}
