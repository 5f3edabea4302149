import { describe, expect, it } from "vitest";
import { hostDifferences } from "../../src/analyse/host-differences.ts";
import { nextNight, reportedRun, slowerPoints } from "../fakes/example-analysis.ts";
import { examplePoint, exampleRecord } from "../fakes/example-record.ts";
import { exampleGpuTelemetry, exampleTelemetry } from "../fakes/example-telemetry.ts";

type Overrides = Parameters<typeof exampleTelemetry>[0];

const night = (host: Overrides = {}) => [examplePoint({ host: exampleTelemetry(host) })];
const card = exampleGpuTelemetry;

describe("hostDifferences()", () => {
  it("finds nothing between two nights that are alike, or when one was not watched", () => {
    expect(hostDifferences(night(), night({ gpus: [card({ clockMedianMhz: 2350, throttledPct: 4 })] }))).toEqual([]);
    expect(hostDifferences([examplePoint()], night({ gpus: [card({ clockMedianMhz: 900 })] }))).toEqual([]);
  });

  it("tells a slower card with the reason, by the worst of several", () => {
    const hot = card({ bdf: "0000:0a:00.0", clockMedianMhz: 1850, throttledPct: 63, throttleReasons: ["thermal"] });
    expect(hostDifferences(night(), night({ gpus: [card(), hot] }))).toEqual([
      { field: "gpu clock under load", baseline: "2400 MHz", current: "1850 MHz" },
      { field: "gpu throttled", baseline: "0 % of the time", current: "63 % of the time (thermal)" },
    ]);
  });

  it("tells a slower CPU, and also a faster one", () => {
    expect(hostDifferences(night(), night({ cpu: { fastestMedianMhz: 1200 } }))).toEqual([
      { field: "cpu clock under load", baseline: "4400 MHz", current: "1200 MHz" },
    ]);
    expect(hostDifferences(night({ cpu: { fastestMedianMhz: 1200 } }), night())).toHaveLength(1);
  });
});

describe("analyse()", () => {
  it("shows beside a regression what the host did differently", () => {
    const cool = exampleRecord({
      points: exampleRecord().points.map((point) => ({ ...point, host: exampleTelemetry() })),
    });
    const throttled = exampleTelemetry({ gpus: [card({ clockMedianMhz: 1850 })] });
    const hot = nextNight({ points: slowerPoints(1.09).map((point) => ({ ...point, host: throttled })) });
    const { analysis, verdict } = reportedRun(hot, {}, [cool]);
    expect(analysis.status).toBe("REGRESSION");
    expect(analysis.differences.map(({ field }) => field)).toContain("gpu clock under load");
    expect(verdict.sentence).toContain("gpu clock under load 2400 MHz -> 1850 MHz");
  });
});
