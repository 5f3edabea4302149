import { describe, expect, it } from "vitest";
import type { GpuSample, HostSample } from "../../src/measure/host-sample.ts";
import { hostTelemetry } from "../../src/measure/host-telemetry.ts";
import { hostWarnings } from "../../src/measure/host-warnings.ts";
import { exampleGpuSample } from "../fakes/example-telemetry.ts";

const card = exampleGpuSample();

function sample(second: number, changed: Partial<HostSample> = {}, gpu: Partial<GpuSample> = {}): HostSample {
  return {
    atMs: second * 1000,
    upS: 500 + second,
    load1: null,
    ticks: null,
    governor: "performance",
    cpuMhz: [4200, 4200],
    cpuWindowMinMhz: 3800,
    packages: [],
    gpus: [{ ...card, ...gpu }],
    ...changed,
  };
}

/** One sample per second, from second 0 on, of which second 2 to 8 are measured. */
function seen(samples: readonly HostSample[], outputTokS: number | null = 50) {
  const measured = { window: "plateau", outputTokS, fromMs: 2000, toMs: 8000 } as const;
  return hostTelemetry({ cpuMaxMhz: 4200, samples }, measured);
}

const seconds = (make: (second: number) => HostSample) => Array.from({ length: 11 }, (_, second) => make(second));

describe("hostTelemetry()", () => {
  it("is null when nobody looked in the window", () => {
    expect(seen([sample(0), sample(9)])).toBeNull();
  });

  it("counts only what lies in the window", () => {
    const host = seen(seconds((second) => sample(second, {}, { actualMhz: second < 2 ? 300 : 2400 })));
    expect(host).toMatchObject({ samples: 7, gpus: [{ clockMedianMhz: 2400, clockMinMhz: 2400, asleepPct: 0 }] });
  });

  it("takes a clock of 0 as sleep and not as a slow clock", () => {
    const host = seen(seconds((second) => sample(second, {}, { actualMhz: second === 4 ? 0 : 2350 })));
    expect(host?.gpus[0]).toMatchObject({ clockMinMhz: 2350, asleepPct: 100 / 7 });
  });

  it("makes power from the energy counter and the host's own time, however late lines arrive", () => {
    const late = seconds((second) => sample(second, {}, { joules: 1000 + second * 120 })).map((at) =>
      at.atMs === 4000 ? { ...at, atMs: 4700 } : at,
    );
    const host = seen(late);
    expect(host?.gpus[0]?.powerW).toBeCloseTo(120);
    expect(host?.gpuJPerToken).toBeCloseTo(120 / 50);
  });

  it("weighs power by the time it was drawn in the window, also between two looks", () => {
    const joules = [0, 100, 200, 300, 400, 600, 800, 1000, 1200, 1400, 1600];
    // 100 W for 2 of the 6 seconds, 200 W for 4 of them.
    expect(seen(seconds((s) => sample(s, {}, { joules: joules[s] ?? null })))?.gpus[0]?.powerW).toBeCloseTo(1000 / 6);
  });

  it("leaves out where the counter of a card started over, and carries that of the CPU on over its range", () => {
    const fell = (second: number) => (second < 5 ? 900 + second * 100 : (second - 5) * 100);
    const host = seen(seconds((s) => sample(s, { packages: [{ joules: fell(s), range: 1400 }] }, { joules: fell(s) })));
    expect(host?.gpus[0]?.powerW).toBeCloseTo(100);
    expect(host?.cpu.powerW).toBeCloseTo(100);
  });

  it("does not know the energy per token when one card does not tell, or the tokens are not known", () => {
    const two = seconds((s) =>
      sample(s, {
        gpus: [
          { ...card, joules: s * 100 },
          { ...card, bdf: "0000:0a:00.0" },
        ],
      }),
    );
    expect(seen(two)).toMatchObject({ gpus: [{ powerW: 100 }, { powerW: null }], gpuJPerToken: null });
    expect(
      seen(
        seconds((s) => sample(s, {}, { joules: s * 100 })),
        null,
      )?.gpuJPerToken,
    ).toBeNull();
  });

  it("knows no power when the energy was seen for less than half of the window", () => {
    const host = seen(seconds((s) => sample(s, {}, { joules: s < 5 ? s * 100 : null })));
    expect(host?.gpus[0]?.powerW).toBeNull();
  });

  it("takes xpu-smi's power where the kernel counts no energy", () => {
    expect(seen(seconds((s) => sample(s, {}, { powerW: s })))?.gpus[0]?.powerW).toBe(5);
  });

  it("tells the fastest core apart from the idle ones, and how much of the CPU was used", () => {
    const host = seen(
      seconds((s) => sample(s, { cpuMhz: [800, 800, 1200], ticks: { busy: s * 25, all: s * 100 }, load1: s })),
    );
    expect(host?.cpu).toMatchObject({ clockMedianMhz: 800, fastestMedianMhz: 1200, busyPct: 25, load1Max: 8 });
  });

  it("has null for everything that a host without GPU and cpufreq cannot tell", () => {
    const bare = seconds((s) => sample(s, { cpuMhz: [], governor: null, cpuWindowMinMhz: null, gpus: [], upS: null }));
    expect(
      hostTelemetry({ cpuMaxMhz: null, samples: bare }, { window: "run", outputTokS: 1, fromMs: 0, toMs: 9e3 }),
    ).toEqual({
      window: "run",
      samples: 10,
      gpus: [],
      cpu: {
        governor: null,
        clockMedianMhz: null,
        clockMinMhz: null,
        fastestMedianMhz: null,
        windowMinMhz: null,
        hardwareMaxMhz: null,
        busyPct: null,
        load1Max: null,
        powerW: null,
      },
      gpuJPerToken: null,
    });
  });
});

describe("hostWarnings()", () => {
  const warnings = (make: (second: number) => HostSample) => {
    const host = seen(seconds(make));
    return host === null ? [] : hostWarnings(host);
  };

  it("says nothing about a host at its clocks", () => {
    expect(warnings((s) => sample(s))).toEqual([]);
  });

  it("says nothing about a single sample in which a limit was touched on the way", () => {
    const host = hostTelemetry(
      {
        cpuMaxMhz: 4200,
        samples: Array.from({ length: 40 }, (_, s) => sample(s, {}, { throttle: s === 5 ? ["pl1"] : [] })),
      },
      { window: "run", outputTokS: 1, fromMs: 0, toMs: 40_000 },
    );
    expect(host === null ? null : hostWarnings(host)).toEqual([]);
  });

  it("names the card, its clock, what was asked for, how long and why it was throttled", () => {
    expect(
      warnings((s) => sample(s, {}, { actualMhz: 1850, throttle: s % 2 ? ["thermal"] : ["thermal", "pl1"] })),
    ).toEqual([
      "GPU 0000:03:00.0 ran at 1850 MHz (median), 2400 MHz or more were asked for, throttled in 100 % of the samples " +
        "(thermal, pl1): it is too hot, look at fans and air",
    ]);
  });

  it("tells a clock under its window also when the driver gives no reason", () => {
    expect(warnings((s) => sample(s, {}, { actualMhz: 1850, throttle: null }))).toEqual([
      "GPU 0000:03:00.0 ran at 1850 MHz (median), 2400 MHz or more were asked for: it did not say why",
    ]);
  });

  it("says nothing about an open window: then a low clock is the card's own choice", () => {
    expect(warnings((s) => sample(s, {}, { actualMhz: 900, windowMinMhz: 300 }))).toEqual([]);
  });

  it("tells a power limit apart from heat", () => {
    expect(warnings((s) => sample(s, {}, { actualMhz: 2400, throttle: ["pl1"] }))[0]).toContain("at its power limit");
  });

  it("tells that the CPU has no core to spare", () => {
    expect(warnings((s) => sample(s, { ticks: { busy: s * 97, all: s * 100 }, load1: 8.15 }))).toEqual([
      "the host's CPU was busy for 97 % of the time (load 8.2): look for other work on it",
    ]);
  });

  it("tells that the CPU is slow, and whether it was told to be", () => {
    expect(warnings((s) => sample(s, { cpuMhz: [800, 1200], governor: "powersave", cpuWindowMinMhz: 800 }))).toEqual([
      "the fastest CPU core ran at 1200 MHz (median) of 4200 under governor powersave: the cards wait for it at every step",
    ]);
    expect(warnings((s) => sample(s, { cpuMhz: [2000, 2100] }))[0]).toContain("3800 MHz or more were asked for");
  });
});
