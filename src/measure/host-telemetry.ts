import { quantileOf } from "./distribution.ts";
import type { HostSample, HostSamples } from "./host-sample.ts";

/** What the host did while a load point was measured. Null: the host does not tell. */
export interface HostTelemetry {
  /** What it is about: the part under full load, or the whole run when that part was too short. */
  readonly window: "plateau" | "run";
  /** How often the host was looked at in it. */
  readonly samples: number;
  readonly gpus: readonly GpuTelemetry[];
  readonly cpu: CpuTelemetry;
  /** Energy of all cards together for each output token, in J. */
  readonly gpuJPerToken: number | null;
}

export interface GpuTelemetry {
  readonly bdf: string;
  /** Clocks of the card while it was awake. */
  readonly clockMedianMhz: number | null;
  readonly clockMinMhz: number | null;
  readonly requestedMedianMhz: number | null;
  /** The window that the driver was told to keep. */
  readonly windowMinMhz: number | null;
  readonly windowMaxMhz: number | null;
  /** Share of the samples in which the card slept between two pieces of work. */
  readonly asleepPct: number | null;
  readonly throttledPct: number | null;
  /** In the driver's words, most frequent first. */
  readonly throttleReasons: readonly string[];
  readonly powerW: number | null;
  readonly temperatureMaxC: number | null;
  readonly vramUsedMaxMiB: number | null;
}

export interface CpuTelemetry {
  readonly governor: string | null;
  /** Over all cores. */
  readonly clockMedianMhz: number | null;
  readonly clockMinMhz: number | null;
  /** Of the core that was the fastest at each look: most idle, while one feeds the cards. */
  readonly fastestMedianMhz: number | null;
  readonly windowMinMhz: number | null;
  readonly hardwareMaxMhz: number | null;
  readonly busyPct: number | null;
  readonly load1Max: number | null;
  /** Of all CPU packages. */
  readonly powerW: number | null;
}

/** A part of a run, by our clock. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Sums up what was seen in a window. Null when nobody looked in it. */
export function hostTelemetry(
  seen: HostSamples,
  measured: { readonly window: HostTelemetry["window"]; readonly outputTokS: number | null } & Window,
): HostTelemetry | null {
  const inside = seen.samples.filter(({ atMs }) => atMs >= measured.fromMs && atMs <= measured.toMs);
  const last = inside.at(-1);
  if (last === undefined) return null;
  const gpus = last.gpus.map(({ bdf }) => gpuTelemetry(bdf, seen.samples, inside, measured));
  return {
    window: measured.window,
    samples: inside.length,
    gpus,
    cpu: cpuTelemetry(seen, inside, measured),
    gpuJPerToken: joulesPerToken(gpus, measured.outputTokS),
  };
}

function gpuTelemetry(
  bdf: string,
  samples: readonly HostSample[],
  inside: readonly HostSample[],
  window: Window,
): GpuTelemetry {
  const card = (sample: HostSample) => sample.gpus.find((gpu) => gpu.bdf === bdf);
  const values = (field: "actualMhz" | "requestedMhz" | "powerW" | "temperatureC" | "vramUsedMiB") =>
    known(inside.map((sample) => card(sample)?.[field]));
  const clocks = values("actualMhz");
  const awake = clocks.filter((mhz) => mhz > 0);
  const throttle = inside.flatMap((sample) => card(sample)?.throttle ?? []);
  const limits = known(inside.map((sample) => card(sample)?.throttle?.length));
  const end = card(inside.at(-1) as HostSample);
  return {
    bdf,
    clockMedianMhz: quantileOf(awake, 0.5),
    clockMinMhz: least(awake),
    requestedMedianMhz: quantileOf(values("requestedMhz"), 0.5),
    windowMinMhz: end?.windowMinMhz ?? null,
    windowMaxMhz: end?.windowMaxMhz ?? null,
    asleepPct: sharePct(clocks, (mhz) => mhz === 0),
    throttledPct: sharePct(limits, (count) => count > 0),
    throttleReasons: byFrequency(throttle),
    powerW: meanRate(samples, window, (sample) => card(sample)?.joules ?? null) ?? mean(values("powerW")),
    temperatureMaxC: most(values("temperatureC")),
    vramUsedMaxMiB: most(values("vramUsedMiB")),
  };
}

function cpuTelemetry(seen: HostSamples, inside: readonly HostSample[], window: Window): CpuTelemetry {
  const last = inside.at(-1);
  const clocks = inside.flatMap(({ cpuMhz }) => cpuMhz);
  const fastest = inside.flatMap(({ cpuMhz }) => most(cpuMhz) ?? []);
  const packages = last?.packages ?? [];
  const power = packages.map(({ range }, index) =>
    meanRate(seen.samples, window, (sample) => sample.packages[index]?.joules ?? null, range),
  );
  return {
    governor: last?.governor ?? null,
    clockMedianMhz: quantileOf(clocks, 0.5),
    clockMinMhz: least(clocks),
    fastestMedianMhz: quantileOf(fastest, 0.5),
    windowMinMhz: last?.cpuWindowMinMhz ?? null,
    hardwareMaxMhz: seen.cpuMaxMhz,
    busyPct: busyPct(seen.samples, window),
    load1Max: most(known(inside.map(({ load1 }) => load1))),
    powerW: sumOrNull(power),
  };
}

/** Power by rate is energy by token. Null when one card does not tell: a sum over some cards is no total. */
function joulesPerToken(gpus: readonly GpuTelemetry[], outputTokS: number | null): number | null {
  const watts = sumOrNull(gpus.map(({ powerW }) => powerW));
  return watts === null || outputTokS === null || outputTokS <= 0 ? null : watts / outputTokS;
}

/**
 * Mean growth per second of a counter over a window. Between two looks it is what the host's own time says; each pair
 * counts as long as it lies in the window. Null when the pairs cover less than half of it. A counter that fell has
 * started over at `range`; when that is not known, the pair is left out.
 */
function meanRate(
  samples: readonly HostSample[],
  window: Window,
  counter: (sample: HostSample) => number | null,
  range: number | null = null,
): number | null {
  return overWindow(samples, window, (before, after) => {
    const [from, to] = [counter(before), counter(after)];
    if (from === null || to === null || before.upS === null || after.upS === null) return null;
    const grown = to >= from ? to - from : range === null ? null : to - from + range;
    return grown === null || after.upS <= before.upS ? null : grown / (after.upS - before.upS);
  });
}

function busyPct(samples: readonly HostSample[], window: Window): number | null {
  return overWindow(samples, window, ({ ticks: before }, { ticks: after }) => {
    if (before === null || after === null || after.all <= before.all || after.busy < before.busy) return null;
    return (100 * (after.busy - before.busy)) / (after.all - before.all);
  });
}

/** Mean of what is true between neighbouring samples, by the time that each pair has in the window. */
function overWindow(
  samples: readonly HostSample[],
  { fromMs, toMs }: Window,
  between: (before: HostSample, after: HostSample) => number | null,
): number | null {
  let sum = 0;
  let coveredMs = 0;
  for (const [index, after] of samples.entries()) {
    const before = samples[index - 1];
    if (before === undefined) continue;
    const ms = Math.min(after.atMs, toMs) - Math.max(before.atMs, fromMs);
    const value = ms > 0 ? between(before, after) : null;
    if (value === null) continue;
    sum += value * ms;
    coveredMs += ms;
  }
  return coveredMs <= 0 || coveredMs < (toMs - fromMs) / 2 ? null : sum / coveredMs;
}

function byFrequency(words: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([word]) => word);
}

function sharePct(values: readonly number[], is: (value: number) => boolean): number | null {
  return values.length === 0 ? null : (100 * values.filter(is).length) / values.length;
}

function known(values: readonly (number | null | undefined)[]): number[] {
  return values.filter((value) => typeof value === "number");
}

function sumOrNull(values: readonly (number | null)[]): number | null {
  const numbers = known(values);
  return values.length === 0 || numbers.length < values.length ? null : numbers.reduce((sum, value) => sum + value, 0);
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => Math.min(a, b));
}

function most(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b));
}
