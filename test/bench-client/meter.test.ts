import { describe, expect, it } from "vitest";
import { machineUse, parseMachine } from "../../bench/client/machine.ts";
import { costOf, cpuMsAt, type Meter } from "../../bench/client/meter.ts";

const meter: Meter = {
  exitCode: 0,
  startedNs: 1e9,
  endedNs: 5e9,
  cpuMs: 500,
  largestRssKib: 10_240,
  samples: [
    [2e9, 100, 20_480, 2, 10],
    [3e9, 200, 30_720, 3, 20],
    [4e9, 400, 20_480, 2, 40],
  ],
};

describe("cpuMsAt()", () => {
  it.each([
    ["before the start", 0.5e9, 0],
    ["between samples", 2.5e9, 150],
    ["after the last sample", 4.5e9, 450],
    ["after the end", 9e9, 500],
  ])("knows the CPU time %s", (_title, atNs, cpuMs) => {
    expect(cpuMsAt(meter, atNs)).toBeCloseTo(cpuMs);
  });
});

describe("costOf()", () => {
  it("divides the CPU time in the window, and that of the whole run, by the events", () => {
    const cost = costOf(meter, { firstContactNs: 1.5e9, firstRequestNs: 2e9, lastEventNs: 4e9, events: 1000 });
    expect(cost).toMatchObject({ usPerEvent: 300, usPerEventWhole: 500, corePct: 15, rssMiB: 30, processes: 3 });
    expect(cost).toMatchObject({ waitedPct: 1.5, startToFirstRequestMs: 500, lastEventToExitMs: 1000 });
  });
});

describe("machineUse()", () => {
  it("tells steal from the busy time of each core", () => {
    const reading = (busy: number, idle: number, steal: number) =>
      parseMachine(
        `cpu 1 1 1 1 1 1 1 1\ncpu0 ${busy} 0 0 ${idle} 0 0 0 ${steal}\ncpu1 0 0 0 ${idle + busy + steal} 0 0 0 0\n`,
      );
    const use = machineUse(reading(0, 0, 0), reading(50, 40, 10));
    expect(use.corePct).toEqual([50, 0]);
    expect(use.stealPct).toBe(5);
  });
});
