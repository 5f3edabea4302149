import { median } from "../analyse/sample-statistics.ts";
import type { SweepSpec } from "../config/run-config.ts";
import { INVALIDATING_WARNING, type LoadPoint } from "../measure/load-point.ts";

/** One level of a sweep with all its repeats, and whether the server holds it. Medians of the repeats; null: not known. */
export interface JudgedLevel {
  /** Requests in flight, or requests per second. */
  readonly level: number;
  readonly requests: number;
  readonly ok: number;
  /** Share of the requests that kept every limit of the SLO; null without an SLO. */
  readonly goodRatio: number | null;
  readonly outputTokS: number | null;
  readonly requestS: number | null;
  readonly ttftP50Ms: number | null;
  readonly tpotP50Ms: number | null;
  /** Requests in flight on the plateau: as counted, and throughput x time. */
  readonly inFlight: number | null;
  readonly predictedInFlight: number | null;
  /** Whether Little's law held in every repeat; null: no plateau was long enough to tell. */
  readonly isSteady: boolean | null;
  readonly holds: boolean;
  readonly because: string;
}

/** Less than this share of complete answers is a failure of the level, not bad luck of a request. */
const LEAST_OK = 0.99;

/**
 * Judges one level: it holds when its requests succeed, keep the SLO, are answered as fast as they come (open loop),
 * and when throughput still grows over the nearest `lower` level that holds (closed loop).
 */
export function judgeLevel(spec: SweepSpec, points: readonly LoadPoint[], lower: JudgedLevel | null): JudgedLevel {
  const measured = measuredLevel(spec, points);
  const problem =
    invalid(points) ??
    failing(points, measured) ??
    breakingSlo(spec, measured) ??
    (spec.of === "rate" ? fallingBehind(points) : notPaying(spec, measured, lower));
  const held = measured.isSteady === false ? "it holds, but it was not steady (Little's law)" : "it holds";
  return { ...measured, holds: problem === null, because: problem ?? held };
}

type Measured = Omit<JudgedLevel, "holds" | "because">;

function measuredLevel(spec: SweepSpec, points: readonly LoadPoint[]): Measured {
  const middle = (read: (point: LoadPoint) => number | null | undefined) => {
    const known = points.map(read).filter((value) => typeof value === "number");
    return known.length === 0 ? null : median(known);
  };
  return {
    level: levelOf(spec, points[0]),
    requests: points.reduce((sum, point) => sum + point.requests, 0),
    ok: points.reduce((sum, point) => sum + (point.outcomes.ok ?? 0), 0),
    goodRatio: middle(({ metrics }) => metrics.goodput?.ratio),
    outputTokS: middle((point) => point.plateau?.outputTokS ?? point.metrics.outputTokS),
    requestS: middle((point) => point.plateau?.requestS ?? point.metrics.requestS),
    ttftP50Ms: middle(({ metrics }) => metrics.ttftMs?.p50),
    tpotP50Ms: middle(({ metrics }) => metrics.tpotMs?.p50),
    inFlight: middle(({ plateau }) => plateau?.littlesLaw?.inFlight),
    predictedInFlight: middle(({ plateau }) => plateau?.littlesLaw?.predicted),
    isSteady: steadiness(points),
  };
}

function steadiness(points: readonly LoadPoint[]): boolean | null {
  const laws = points.map(({ plateau }) => plateau?.littlesLaw ?? null).filter((law) => law !== null);
  return laws.length === 0 ? null : laws.every(({ holds }) => holds);
}

export function levelOf({ of }: SweepSpec, point: LoadPoint | undefined): number {
  return (of === "rate" ? point?.requestRate : point?.concurrency) ?? Number.NaN;
}

/** Why a point is no measurement of the server; null for one that is. */
export function invalidReason({ warnings }: LoadPoint): string | null {
  const warning = warnings.find((text) => text.startsWith(INVALIDATING_WARNING));
  return warning === undefined ? null : warning.slice(INVALIDATING_WARNING.length);
}

function invalid(points: readonly LoadPoint[]): string | null {
  const reason = points.map(invalidReason).find((text) => text !== null) ?? null;
  return reason === null ? null : `it could not be measured: ${reason}`;
}

function failing(points: readonly LoadPoint[], { ok, requests }: Measured): string | null {
  if (requests > 0 && ok / requests >= LEAST_OK) return null;
  const ways = new Map<string, number>();
  for (const [outcome, count] of points.flatMap(({ outcomes }) => Object.entries(outcomes))) {
    if (outcome !== "ok") ways.set(outcome, (ways.get(outcome) ?? 0) + count);
  }
  const told = [...ways].map(([outcome, count]) => `${count} ${outcome}`).join(", ");
  return `${requests - ok} of ${requests} requests failed (${told || "none was sent"})`;
}

function breakingSlo({ goodPct }: SweepSpec, { goodRatio }: Measured): string | null {
  if (goodRatio === null || goodRatio * 100 >= goodPct) return null;
  return `${(goodRatio * 100).toFixed(1)} % of the requests keep the SLO, ${goodPct} % are wanted`;
}

/**
 * A queue that grows shows in the requests in flight: at the end of the plateau there are more than at its start, by
 * more than chance does (Poisson arrivals: sd sqrt(2 x in flight), of which twice is allowed).
 */
function fallingBehind(points: readonly LoadPoint[]): string | null {
  for (const { plateau } of points) {
    const law = plateau?.littlesLaw ?? null;
    if (law === null) return "it reached no steady state: one answer takes a large part of the measurement";
    const isGrowing = law.atEnd - law.atStart > 2 * Math.sqrt(2 * Math.max(1, law.atStart));
    if (isGrowing) return `requests pile up: ${law.atStart} in flight at first, ${law.atEnd} in the end`;
  }
  return null;
}

/** A gain that is wanted of a doubling is wanted in proportion (on a log scale) of a smaller step. */
function notPaying(
  spec: SweepSpec,
  { level, outputTokS, requestS }: Measured,
  lower: JudgedLevel | null,
): string | null {
  if (lower === null) return null;
  const [now, before] = [outputTokS ?? requestS, outputTokS === null ? lower.requestS : lower.outputTokS];
  if (now === null || before === null || before <= 0) return null;
  const gainPct = (now / before - 1) * 100;
  const wantedPct = spec.minGainPct * Math.log2(level / lower.level);
  if (gainPct >= wantedPct) return null;
  return `throughput changed by ${gainPct.toFixed(1)} % over ${lower.level}, +${wantedPct.toFixed(1)} % are wanted`;
}
