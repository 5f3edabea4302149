import type { LittlesLaw, RequestTrace } from "./load-point.ts";

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** How far apart the two may always be. */
const TOLERANCE = 0.1;

/**
 * Checks Little's law in a window of a run: failed requests count too, since they were in flight as well. In an open
 * loop chance lets the number in flight at both ends differ by about sqrt(2 x in flight), of which twice is allowed. In a
 * closed loop requests come and go in waves, and a window of n waves may hold one more or less of their ends. Null when
 * nothing ended in the window.
 */
export function littlesLawOf(
  traces: readonly RequestTrace[],
  { fromMs, toMs }: Window,
  isOpenLoop: boolean,
): LittlesLaw | null {
  const ended = traces.filter((trace) => trace.endMs > fromMs && trace.endMs <= toMs);
  const inFlightMs = traces.reduce((sum, trace) => sum + overlapMs(trace, fromMs, toMs), 0);
  if (ended.length === 0 || inFlightMs <= 0) return null;
  const durationMs = toMs - fromMs;
  const inFlight = inFlightMs / durationMs;
  const timeMs = ended.reduce((sum, trace) => sum + trace.endMs - trace.scheduledMs, 0) / ended.length;
  const predicted = (ended.length / durationMs) * timeMs;
  const atEdges = isOpenLoop ? (2 * Math.sqrt(2 * inFlight)) / ended.length : timeMs / durationMs;
  const tolerance = Math.max(TOLERANCE, atEdges);
  return {
    inFlight,
    predicted,
    atStart: inFlightAt(traces, fromMs),
    atEnd: inFlightAt(traces, toMs),
    tolerance,
    holds: Math.abs(predicted / inFlight - 1) <= tolerance,
  };
}

/** A request that fails or hangs is no sign of how the others fare: nothing is said when there is one. */
export function steadyWarnings(law: LittlesLaw | null, traces: readonly RequestTrace[]): string[] {
  if (law === null || law.holds || traces.some(({ outcome }) => outcome !== "ok")) return [];
  const [counted, predicted] = [law.inFlight.toFixed(1), law.predicted.toFixed(1)];
  const limit = `${Math.round(law.tolerance * 100)} % apart is the most`;
  return [`no steady state: ${counted} in flight, but throughput x time makes ${predicted} (Little's law); ${limit}`];
}

function inFlightAt(traces: readonly RequestTrace[], atMs: number): number {
  return traces.filter(({ scheduledMs, endMs }) => scheduledMs <= atMs && endMs > atMs).length;
}

function overlapMs({ scheduledMs, endMs }: RequestTrace, fromMs: number, toMs: number): number {
  return Math.max(0, Math.min(endMs, toMs) - Math.max(scheduledMs, fromMs));
}
