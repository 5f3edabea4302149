import { expect, it } from "vitest";
import { eventLoopWatch } from "../../src/adapters/event-loop-watch.ts";

it("eventLoopWatch tells a blocked loop from an idle one", async () => {
  const pause = () => new Promise((resolve) => setTimeout(resolve, 60));
  const blocked = eventLoopWatch.start();
  await pause();
  const until = performance.now() + 50;
  while (performance.now() < until);
  await pause();
  const health = blocked.end();
  expect(health.loopDelayMaxMs).toBeGreaterThan(30);
  expect(health.loopUtilization).toBeGreaterThan(0);
  expect(health.loopUtilization).toBeLessThanOrEqual(1);
  expect(health.loopDelayP99Ms).toBeLessThanOrEqual(health.loopDelayMaxMs);
  expect(health.gcPauseMs).toBeGreaterThanOrEqual(0);
});
