import { describe, expect, it } from "vitest";
import { hostLoad, hostLoadTable } from "../../src/report/host-load-table.ts";
import { renderSummary } from "../../src/report/summary-markdown.ts";
import { reportedRun } from "../fakes/example-analysis.ts";
import { examplePoint, exampleRecord } from "../fakes/example-record.ts";
import { exampleGpuTelemetry, exampleTelemetry, NOTHING_TOLD } from "../fakes/example-telemetry.ts";

/** Rows by the titles of their columns. */
function rows(...points: Parameters<typeof hostLoad>[0]) {
  const load = hostLoad(points);
  return load?.rows.map((row) => Object.fromEntries(load.head.map((title, index) => [title, row[index]])));
}

describe("hostLoad()", () => {
  it("is nothing when nobody looked, or when the host told nothing", () => {
    expect(hostLoad([examplePoint()])).toBeNull();
    expect(hostLoadTable("meanwhile", [examplePoint()])).toEqual([]);
    expect(hostLoad([examplePoint({ host: NOTHING_TOLD })])).toBeNull();
  });

  it("leaves out columns that no host told anything for", () => {
    expect(rows(examplePoint({ host: exampleTelemetry() }))).toEqual([
      {
        "load point": "chat c=12",
        "GPU MHz": "2400",
        lowest: "2350",
        throttled: "0 %",
        "GPU W": "118.4",
        "J/token": "0.270",
        "CPU MHz": "4400",
        "CPU busy": "12 %",
      },
    ]);
  });

  it("takes the slowest, the most throttled and the hottest of several cards, and the power of all", () => {
    const slow = exampleGpuTelemetry({
      bdf: "0000:0a:00.0",
      clockMedianMhz: 1850,
      clockMinMhz: 1500,
      throttledPct: 63,
      throttleReasons: ["thermal", "pl1"],
      powerW: 90,
      temperatureMaxC: 94,
    });
    const host = exampleTelemetry({ gpus: [exampleGpuTelemetry({ temperatureMaxC: 71 }), slow] });
    expect(rows(examplePoint({ host }))?.[0]).toMatchObject({
      "GPU MHz": "1850",
      lowest: "1500",
      throttled: "63 % (thermal, pl1)",
      "GPU W": "208.4",
      "GPU °C": "94",
    });
  });

  it("has no sum of power when one card did not tell", () => {
    const host = exampleTelemetry({ gpus: [exampleGpuTelemetry(), exampleGpuTelemetry({ powerW: null })] });
    expect(rows(examplePoint({ host }))?.[0]).not.toHaveProperty("GPU W");
  });

  it("takes the median of the repeats, but the lowest clock of all of them", () => {
    const repeats = [
      [2400, 2300],
      [2000, 1900],
      [2200, 2200],
    ].map(([median = null, least = null], repeat) =>
      examplePoint({
        repeat,
        host: exampleTelemetry({ gpus: [exampleGpuTelemetry({ clockMedianMhz: median, clockMinMhz: least })] }),
      }),
    );
    expect(rows(...repeats)).toMatchObject([{ "GPU MHz": "2200", lowest: "1900" }]);
  });
});

describe("renderSummary()", () => {
  it("shows the host only when somebody looked at it", () => {
    const summary = (points: ReturnType<typeof examplePoint>[]) => {
      const run = reportedRun(exampleRecord({ points }));
      return renderSummary({ runs: [run], verdict: run.verdict }, { charts: false });
    };
    expect(summary([examplePoint()])).not.toContain("Host while measuring");
    expect(summary([examplePoint({ host: exampleTelemetry() })])).toContain(
      "#### Host while measuring\n\n| load point |",
    );
  });
});
