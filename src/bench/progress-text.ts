import type { Clock } from "../ports/clock.ts";
import type { PhaseProgress, Progress } from "./phase-progress.ts";

/** One line for a log, and the lines of a panel for a terminal. */
export type ShowProgress = (line: string, panel?: readonly string[]) => void;

/** Often enough to look alive; what is shown is read from counters, so measuring does not notice. */
const EVERY_MS = 250;

/** Shows where a phase stands while `work` goes on, and once more when it is over. */
export async function whileShowing<Result>(
  progress: PhaseProgress,
  show: ShowProgress | undefined,
  clock: Clock,
  work: () => Promise<Result>,
): Promise<Result> {
  if (show === undefined) return work();
  const tell = () => {
    const now = progress.read(clock.nowMs());
    show(progressLine(now), progressPanel(now));
  };
  const over = new AbortController();
  const showing = (async () => {
    while (!over.signal.aborted) {
      await clock.sleep(EVERY_MS, over.signal);
      tell();
    }
  })();
  try {
    return await work();
  } finally {
    over.abort();
    await showing;
  }
}

export function progressLine(progress: Progress): string {
  const { done, failed, inFlight, phase } = progress;
  return [
    `${loadOf(progress)} ${purposeOf(progress)}`,
    `${done}/${phase.total} done, ${failed} failed, ${inFlight} in flight`,
    speedOf(progress),
    latenciesOf(progress, ", "),
    leftOf(progress),
  ].join(" | ");
}

const BAR = 20;

/** Fits 60 columns, unless names are long. */
export function progressPanel(progress: Progress): readonly string[] {
  const { done, failed, inFlight, phase, elapsedMs } = progress;
  const filled = Math.round((BAR * Math.min(done, phase.total)) / Math.max(1, phase.total));
  return [
    `${loadOf(progress)}  ${purposeOf(progress)}`,
    `  [${"#".repeat(filled)}${".".repeat(BAR - filled)}] ${done}/${phase.total} done, ${failed} failed, ${inFlight} in flight`,
    `  ${speedOf(progress)}   ${latenciesOf(progress, "   ")}`,
    `  ${timeOf(elapsedMs)} gone, ${leftOf(progress)}`,
  ];
}

function loadOf({ workload, phase }: Progress): string {
  const { requestRate, name } = workload;
  return `${name} ${requestRate === null ? `c=${phase.concurrency}` : `${requestRate} req/s`}`;
}

function purposeOf({ workload, phase: { kind, repeat, place } }: Progress): string {
  if (kind === "first") return "first request";
  const level = place.of === null ? `level ${place.index}` : `level ${place.index} of ${place.of}`;
  if (kind === "warm-up") return `${level}, warm-up ${repeat + 1}`;
  return workload.repeats === 1 ? level : `${level} (repeat ${repeat + 1} of ${workload.repeats})`;
}

function speedOf({ tokS }: Progress): string {
  return tokS === null ? "- tok/s" : `${tokS.toFixed(1)} tok/s`;
}

function latenciesOf({ ttftP50Ms, tpotP50Ms }: Progress, between: string): string {
  return [`TTFT p50 ${inMs(ttftP50Ms)}`, `TPOT p50 ${inMs(tpotP50Ms)}`].join(between);
}

function inMs(ms: number | null): string {
  return ms === null ? "-" : `${ms.toFixed(1)} ms`;
}

function leftOf({ leftMs }: Progress): string {
  return leftMs === null ? "time left not known yet" : `about ${timeOf(leftMs)} left`;
}

function timeOf(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}
