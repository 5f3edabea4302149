import type { ServerCheck } from "../../src/measure/load-point.ts";
import type { MeasuredPoint } from "../../src/measure/to-load-point.ts";

export const notChecked: ServerCheck = {
  verdict: "not-checked",
  checks: [],
  runningMean: null,
  runningMax: null,
  waitingMax: null,
  kvCacheUsageMax: null,
  preemptions: null,
  prefixHitRatio: null,
};

/** What is known of a load point besides its requests; a test states only what differs. */
export function measuredPoint(changed: Partial<MeasuredPoint> = {}): MeasuredPoint {
  return {
    concurrency: 1,
    repeat: 0,
    startedAt: "2026-01-01T00:00:00.000Z",
    promptsSha256: "",
    wantedPromptTokens: 20,
    differentPrompts: null,
    repeatedPromptRatio: null,
    loadWarnings: [],
    cancelled: false,
    server: notChecked,
    client: { loopUtilization: 0.1, loopDelayP99Ms: 0.1, loopDelayMaxMs: 1, gcPauseMs: 1 },
    output: null,
    outputBefore: null,
    ...changed,
  };
}
