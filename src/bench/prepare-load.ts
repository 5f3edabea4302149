import type { RequestTrace } from "../measure/load-point.ts";
import { cutSessions, repeatedInSessions } from "../measure/turn-summary.ts";
import { digestOfSessions } from "../prompts/session-maker.ts";
import { repeatedShare } from "../prompts/trace-prompts.ts";
import { arrivalsMs } from "./arrivals.ts";
import { driveClosedLoop, driveOpenLoop, type Launch } from "./drive-load.ts";
import type { Level } from "./levels.ts";
import type { Phase, PhaseProgress } from "./phase-progress.ts";
import { phaseSender } from "./phase-sender.ts";
import { preparePhase } from "./prepare-phase.ts";
import type { Run } from "./run-workload.ts";
import { driveSessions } from "./session-load.ts";

/** A load that is ready to be sent: its prompts are made. */
export interface PreparedLoad {
  readonly promptsSha256: string;
  readonly progress: PhaseProgress;
  drive(): Promise<readonly RequestTrace[]>;
  /** Share of the prompt tokens that repeat the start of an earlier prompt on purpose; null: none do. */
  repeatedPromptRatio(traces: readonly RequestTrace[]): number | null;
  /** What a user must know besides. */
  warnings(traces: readonly RequestTrace[]): readonly string[];
}

/** The load of one level in the shape that the workload wants: sessions, a trace, an open loop or a closed one. */
export async function prepareLoad(run: Run, level: Level): Promise<PreparedLoad> {
  const { concurrency, repeat } = level;
  const phase = {
    kind: "measure",
    concurrency,
    repeat,
    total: run.workload.requestsPerLevel,
    place: run.place,
  } as const;
  if (run.sessions !== null) return prepareSessions({ ...run, sessions: run.sessions }, phase);
  const { launch, ...prepared } = preparePhase(run, phase);
  return {
    ...prepared,
    drive: () => drive(run, level, launch),
    repeatedPromptRatio: () => repeatedInTrace(run),
    warnings: () => [],
  };
}

async function prepareSessions(
  run: Run & { sessions: NonNullable<Run["sessions"]> },
  phase: Phase,
): Promise<PreparedLoad> {
  const { setName } = phaseSender(run, phase);
  const plans = await run.sessions.make(setName, phase.total);
  const total = plans.reduce((sum, { turns }) => sum + turns.length, 0);
  const sender = phaseSender(run, { ...phase, total });
  return {
    promptsSha256: digestOfSessions(plans),
    progress: sender.progress,
    drive: () => driveSessions(run, plans, phase.concurrency, sender),
    repeatedPromptRatio: repeatedInSessions,
    warnings: (traces) => cutSessions(traces, plans),
  };
}

function drive(run: Run, { concurrency, repeat }: Level, launch: Launch): Promise<readonly RequestTrace[]> {
  const { workload, traceRows, clock, signal } = run;
  const { requestRate, requestsPerLevel, durationMs = null, maxConcurrency = null, trace } = workload;
  if (requestRate === null) {
    return driveClosedLoop({ count: requestsPerLevel, concurrency, durationMs }, launch, clock, signal);
  }
  const arrivals =
    trace !== undefined && traceRows !== undefined
      ? traceRows.map(({ atMs }) => atMs / trace.speed)
      : arrivalsMs(workload, requestRate, `${workload.seed}/arrivals/${repeat}`);
  return driveOpenLoop({ arrivalsMs: arrivals, maxConcurrency }, launch, clock, signal);
}

function repeatedInTrace({ workload: { trace }, traceRows }: Run): number | null {
  return trace === undefined || traceRows === undefined ? null : repeatedShare(traceRows, trace.blockTokens);
}
