/** What bench/client/meter.c wrote about one process tree. */
export interface Meter {
  readonly exitCode: number;
  readonly startedNs: number;
  readonly endedNs: number;
  readonly cpuMs: number;
  readonly largestRssKib: number;
  /** Time in ns, CPU time in ms, resident KiB, processes, ms that they were ready to run and did not. */
  readonly samples: readonly (readonly [number, number, number, number, number])[];
}

export interface Cost {
  /** Microseconds of CPU per event between the first request and the last event, and over the whole run. */
  readonly usPerEvent: number;
  readonly usPerEventWhole: number;
  /** Of one core, between the first request and the last event. */
  readonly corePct: number;
  readonly rssMiB: number;
  readonly processes: number;
  /** Share of the time between first request and last event that it waited for its core; its own processes count too. */
  readonly waitedPct: number;
  readonly startToFirstRequestMs: number;
  readonly lastEventToExitMs: number;
}

interface Window {
  readonly firstRequestNs: number;
  readonly lastEventNs: number;
}

/** Divides the CPU time of a client by the events that it had to read. */
export function costOf(meter: Meter, window: Window & { firstContactNs: number; events: number }): Cost {
  const { firstContactNs, firstRequestNs, lastEventNs, events } = window;
  const inWindowMs = cpuMsAt(meter, lastEventNs) - cpuMsAt(meter, firstRequestNs);
  return {
    usPerEvent: (inWindowMs * 1000) / events,
    usPerEventWhole: (meter.cpuMs * 1000) / events,
    corePct: (inWindowMs * 1e8) / (lastEventNs - firstRequestNs),
    rssMiB: Math.max(meter.largestRssKib, ...meter.samples.map(([, , rss]) => rss)) / 1024,
    processes: Math.max(1, ...meter.samples.map(([, , , count]) => count)),
    waitedPct: waitedPct(meter, window),
    startToFirstRequestMs: (firstContactNs - meter.startedNs) / 1e6,
    lastEventToExitMs: (meter.endedNs - lastEventNs) / 1e6,
  };
}

function waitedPct({ samples }: Meter, window: Window): number {
  const within = samples.filter(([ns]) => ns >= window.firstRequestNs && ns <= window.lastEventNs);
  const [first, last] = [within[0], within.at(-1)];
  if (first === undefined || last === undefined || last[0] === first[0]) return 0;
  return (100 * (last[4] - first[4]) * 1e6) / (last[0] - first[0]);
}

/** CPU time used until a moment, linear between samples. */
export function cpuMsAt({ samples, startedNs, endedNs, cpuMs }: Meter, atNs: number): number {
  const points = [[startedNs, 0], ...samples, [endedNs, cpuMs]] as readonly (readonly number[])[];
  const after = points.findIndex(([ns]) => ns! >= atNs);
  if (after === -1) return cpuMs;
  const [highNs, highMs] = points[after] as [number, number];
  const [lowNs, lowMs] = (points[after - 1] ?? points[after]) as [number, number];
  return highNs === lowNs ? highMs : lowMs + ((highMs - lowMs) * (atNs - lowNs)) / (highNs - lowNs);
}
