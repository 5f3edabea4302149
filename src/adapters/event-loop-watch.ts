import { monitorEventLoopDelay, PerformanceObserver, performance } from "node:perf_hooks";
import type { LoopWatch } from "../ports/loop-watch.ts";

const RESOLUTION_MS = 2;

/** The event loop of this very process, by node's own instruments. */
export const eventLoopWatch: LoopWatch = {
  start() {
    const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    const before = performance.eventLoopUtilization();
    const cpuBefore = process.cpuUsage();
    let gcPauseMs = 0;
    const collector = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) gcPauseMs += duration;
    });
    collector.observe({ entryTypes: ["gc"] });
    delay.enable();
    // The histogram holds the whole interval between two looks, of which the resolution was meant.
    const lateMs = (percentile: number) =>
      delay.count === 0 ? 0 : Math.max(0, delay.percentile(percentile) / 1e6 - RESOLUTION_MS);
    return {
      end() {
        delay.disable();
        for (const { duration } of collector.takeRecords()) gcPauseMs += duration;
        collector.disconnect();
        const { utilization } = performance.eventLoopUtilization(before);
        const { user, system } = process.cpuUsage(cpuBefore);
        return {
          loopUtilization: utilization,
          loopDelayP99Ms: lateMs(99),
          loopDelayMaxMs: lateMs(100),
          gcPauseMs,
          cpuMs: (user + system) / 1000,
        };
      },
    };
  },
};
