import type { SweepSpec, Workload } from "../config/run-config.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import type { RunRecord } from "../record/run-record.ts";
import type { JudgedLevel } from "./judge-level.ts";
import { type SweepState, sweepState } from "./sweep.ts";

/** What a sweep says. */
export interface SweepResult extends Pick<SweepState, "levels" | "best" | "broken"> {
  readonly workload: string;
  readonly of: SweepSpec["of"];
  /** False: it was cut off, and the highest level that holds may be higher. */
  readonly isFinished: boolean;
  readonly sentence: string;
}

/** The result of a workload's sweep; null when it has none, or when no level was measured. */
export function sweepResult(workload: Workload, points: readonly LoadPoint[]): SweepResult | null {
  const { name, sweep } = workload;
  const own = points.filter((point) => point.workload === name);
  if (sweep === undefined || own.length === 0) return null;
  const { levels, best, broken, next } = sweepState({ ...workload, sweep }, own);
  const found = { workload: name, of: sweep.of, levels, best, broken, isFinished: next === null };
  return { ...found, sentence: sentenceOf(found, sweep, workload.slo) };
}

/** The sweeps of a record. */
export function sweepResults(record: Pick<RunRecord, "workloads" | "points">): SweepResult[] {
  return record.workloads.map((workload) => sweepResult(workload, record.points)).filter((result) => result !== null);
}

type Found = Omit<SweepResult, "sentence">;

function sentenceOf(found: Found, sweep: SweepSpec, slo: Workload["slo"]): string {
  const { workload, best, broken, of, isFinished } = found;
  const cut = isFinished ? "" : " (the sweep was cut off)";
  const goal = slo === undefined ? "" : ` with ${sloText(slo)} for ${sweep.goodPct} % of the requests`;
  if (best === null) {
    if (broken === null) return `${workload}: no level was measured to its end${cut}`;
    return `${workload} does not hold even ${inWords(of, broken.level)}${goal}: ${broken.because}${cut}`;
  }
  const held = `${workload} holds ${inWords(of, best.level)}${goal} (${figures(best)})`;
  if (broken === null) return `${held}, the highest level that was tried${cut}`;
  return `${held}; at ${broken.level} ${broken.because}${cut}`;
}

function inWords(of: SweepSpec["of"], level: number): string {
  if (of === "rate") return `${level} requests per second`;
  return `${level} ${level === 1 ? "request" : "requests"} in flight`;
}

function figures({ goodRatio, outputTokS, requestS }: JudgedLevel): string {
  const known = [
    goodRatio === null ? null : `${(goodRatio * 100).toFixed(1)} % good`,
    outputTokS === null ? null : `${outputTokS.toFixed(1)} tok/s`,
    requestS === null ? null : `${requestS.toFixed(2)} req/s`,
  ];
  return known.filter((text) => text !== null).join(", ") || "no speed is known";
}

function sloText({ ttftMs, tpotMs, e2eMs }: NonNullable<Workload["slo"]>): string {
  const limits: [string, number | undefined][] = [
    ["TTFT", ttftMs],
    ["TPOT", tpotMs],
    ["E2E", e2eMs],
  ];
  return limits.flatMap(([name, ms]) => (ms === undefined ? [] : [`${name} <= ${ms} ms`])).join(", ");
}
