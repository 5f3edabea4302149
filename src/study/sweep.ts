import type { Level } from "../bench/levels.ts";
import type { SweepSpec, Workload } from "../config/run-config.ts";
import type { LoadPoint } from "../measure/load-point.ts";
import { invalidReason, type JudgedLevel, judgeLevel, levelOf } from "./judge-level.ts";

/** What a sweep has found so far. */
export interface SweepState {
  /** By level, lowest first. */
  readonly levels: readonly JudgedLevel[];
  /** The highest level that holds below every one that does not; null: none holds. */
  readonly best: JudgedLevel | null;
  /** The lowest level that does not hold; null: all hold. */
  readonly broken: JudgedLevel | null;
  /** Null: the sweep has ended. */
  readonly next: Level | null;
}

type Swept = Workload & { readonly sweep: SweepSpec };

/** So many waves of a closed loop, or median answers of an open one, let a level settle. */
const LEAST_WAVES = 5;
const LEAST_ANSWERS = 6;
/** Rates closer to each other than this are not told apart. */
const CLOSE = 1.05;

/**
 * The state of a sweep and its next measurement, from its load points alone: pure, so a sweep can be replayed. Levels
 * double until one does not hold; then the gap below it is halved as often as the sweep allows.
 */
export function sweepState(workload: Swept, points: readonly LoadPoint[]): SweepState {
  const { sweep, repeats } = workload;
  const groups = groupByLevel(sweep, points);
  const last = groups.at(-1);
  const isCut = last !== undefined && isUnfinished(last, repeats);
  const levels = judgeAll(sweep, isCut ? groups.slice(0, -1) : groups);
  const broken = levels.find(({ holds }) => !holds) ?? null;
  const best = levels.filter(({ holds, level }) => holds && (broken === null || level < broken.level)).at(-1) ?? null;
  if (isCut) return { levels, best, broken, next: levelAt(workload, levelOf(sweep, last[0]), last.length, points) };
  const refined = refinementsDone(sweep, groups, levels);
  const value = nextValue(sweep, { best, broken, refined, isFirst: groups.length === 0 });
  return { levels, best, broken, next: value === null ? null : levelAt(workload, value, 0, points) };
}

/** A point that could not be measured says nothing about the server: it is measured again, but not for ever. */
function isUnfinished(group: readonly LoadPoint[], repeats: number): boolean {
  const valid = group.filter((point) => invalidReason(point) === null).length;
  return valid < repeats && group.length - valid <= MAX_REDOS;
}

const MAX_REDOS = 2;

/** Points of one level together, in the order in which levels were first measured. */
function groupByLevel(sweep: SweepSpec, points: readonly LoadPoint[]): LoadPoint[][] {
  const groups = new Map<number, LoadPoint[]>();
  for (const point of points) {
    const level = levelOf(sweep, point);
    groups.set(level, [...(groups.get(level) ?? []), point]);
  }
  return [...groups.values()];
}

/** From the lowest up, each against the nearest lower one that holds. */
function judgeAll(sweep: SweepSpec, groups: readonly (readonly LoadPoint[])[]): JudgedLevel[] {
  const ascending = groups.toSorted((a, b) => levelOf(sweep, a[0]) - levelOf(sweep, b[0]));
  const judged: JudgedLevel[] = [];
  for (const group of ascending) {
    const valid = group.filter((point) => invalidReason(point) === null);
    const lower = judged.findLast(({ holds }) => holds) ?? null;
    judged.push(judgeLevel(sweep, valid.length > 0 ? valid : group, lower));
  }
  return judged;
}

/** Levels measured after the first one that did not hold. */
function refinementsDone(sweep: SweepSpec, groups: readonly (readonly LoadPoint[])[], levels: readonly JudgedLevel[]) {
  const isBroken = (value: number) => levels.some(({ level, holds }) => level === value && !holds);
  const first = groups.findIndex((group) => isBroken(levelOf(sweep, group[0])));
  return first === -1 ? 0 : groups.length - first - 1;
}

interface Found {
  readonly best: JudgedLevel | null;
  readonly broken: JudgedLevel | null;
  readonly refined: number;
  readonly isFirst: boolean;
}

function nextValue(sweep: SweepSpec, { best, broken, refined, isFirst }: Found): number | null {
  if (isFirst) return sweep.from;
  // Not even the first level holds: below it nobody asked.
  if (best === null) return null;
  if (broken === null) return best.level >= sweep.to ? null : Math.min(best.level * 2, sweep.to);
  if (refined >= sweep.refinements) return null;
  if (sweep.of === "concurrency") {
    const middle = Math.floor((best.level + broken.level) / 2);
    return middle === best.level ? null : middle;
  }
  return broken.level / best.level < CLOSE ? null : Number(Math.sqrt(best.level * broken.level).toPrecision(3));
}

/**
 * A level with as many requests as it takes to settle, judged by how long answers took at the nearest lower level: above
 * what the server holds, answers take as long as the queue.
 */
function levelAt(workload: Swept, value: number, repeat: number, points: readonly LoadPoint[]): Level {
  const { sweep, requestsPerLevel, durationMs = 0 } = workload;
  if (sweep.of === "concurrency") {
    return { concurrency: value, requestRate: null, repeat, requests: Math.max(requestsPerLevel, LEAST_WAVES * value) };
  }
  const lower = points.filter((point) => levelOf(sweep, point) < value);
  const nearest = lower.toSorted((a, b) => levelOf(sweep, a) - levelOf(sweep, b)).at(-1);
  const answerMs = nearest?.metrics.e2eMs?.p50 ?? 0;
  const settled = Math.ceil((value * Math.max(durationMs, LEAST_ANSWERS * answerMs)) / 1000);
  return { concurrency: 1, requestRate: value, repeat, requests: Math.max(requestsPerLevel, settled) };
}
