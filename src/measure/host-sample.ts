import { gpuKind } from "../probe/gpu-facts.ts";
import { type LatestReading, type XpuSmiReading, xpuSmiDumpReader } from "./xpu-smi-dump.ts";

/** The host at one moment. Null: it does not tell. */
export interface HostSample {
  /** Our clock when the line arrived. */
  readonly atMs: number;
  /** The host's own time since boot: energy divided by it is power, however late the line came. */
  readonly upS: number | null;
  readonly load1: number | null;
  /** Processor time since boot that was used, and that there was, in the kernel's ticks. */
  readonly ticks: { readonly busy: number; readonly all: number } | null;
  readonly governor: string | null;
  readonly cpuMhz: readonly number[];
  readonly cpuWindowMinMhz: number | null;
  /** Energy counters of the CPU packages, in J; they start over at their range. */
  readonly packages: readonly Counter[];
  readonly gpus: readonly GpuSample[];
}

/** A counter that starts over at `range`; null: that is not known. */
export interface Counter {
  readonly joules: number;
  readonly range: number | null;
}

export interface GpuSample {
  readonly bdf: string;
  /** 0 while the card sleeps between two pieces of work. */
  readonly actualMhz: number | null;
  readonly requestedMhz: number | null;
  readonly windowMinMhz: number | null;
  readonly windowMaxMhz: number | null;
  /** Why it is slower than asked, in the driver's words; empty: it is not. */
  readonly throttle: readonly string[] | null;
  readonly joules: number | null;
  readonly powerW: number | null;
  readonly temperatureC: number | null;
  readonly vramUsedMiB: number | null;
}

export interface HostSamples {
  /** Highest clock that the CPU is made for. */
  readonly cpuMaxMhz: number | null;
  readonly samples: readonly HostSample[];
}

/** Reads the lines of the sampler as they come. What is no line of it is left out. */
export function hostSampleReader(): { take(line: string, atMs: number): void; readonly samples: HostSamples } {
  let head: Words = new Map();
  const samples: HostSample[] = [];
  const xpuSmi = xpuSmiDumpReader();
  return {
    take(line, atMs) {
      const [kind, ...words] = line.trim().split(/\s+/);
      if (kind === "host") head = wordsOf(words);
      else if (kind === "xpu") xpuSmi.take(words.join(" "), atMs);
      else if (kind === "sample") samples.push(sampleOf(head, wordsOf(words), atMs, xpuSmi.latest));
    },
    samples: {
      get cpuMaxMhz() {
        return mhzOfKhz(number(head, "cpumax"));
      },
      samples,
    },
  };
}

/** Values by name; a name can come several times. */
type Words = ReadonlyMap<string, readonly string[]>;

function wordsOf(words: readonly string[]): Words {
  const all = new Map<string, string[]>();
  for (const word of words) {
    const at = word.indexOf("=");
    if (at < 1) continue;
    const name = word.slice(0, at);
    all.set(name, [...(all.get(name) ?? []), word.slice(at + 1)]);
  }
  return all;
}

function sampleOf(head: Words, words: Words, atMs: number, latest: LatestReading): HostSample {
  const [busy, all] = (words.get("ticks")?.[0] ?? "").split("/").map(toNumber);
  const cpuMhz = (words.get("cpu")?.[0] ?? "").split(",").map((khz) => mhzOfKhz(toNumber(khz)));
  return {
    atMs,
    upS: number(words, "up"),
    load1: number(words, "load"),
    ticks: busy == null || all == null ? null : { busy, all },
    governor: words.get("governor")?.[0] ?? null,
    cpuMhz: cpuMhz.filter((mhz) => mhz !== null),
    cpuWindowMinMhz: mhzOfKhz(number(words, "cpumin")),
    packages: countersOf(head, words),
    gpus: [...head].flatMap(([name, [device = ""]]) => {
      if (!/^gpu\d+$/.test(name)) return [];
      const [bdf = "", id = ""] = device.split("/");
      // Integrated graphics is not what is measured.
      if (gpuKind(bdf, id.replace(/^0x/i, "").toLowerCase()) === "integrated") return [];
      return [gpuOf(name, bdf, words, latest(bdf, atMs))];
    }),
  };
}

/** What the kernel says comes first; xpu-smi fills what it does not. */
function gpuOf(name: string, bdf: string, words: Words, told: XpuSmiReading | null): GpuSample {
  const value = (key: string) => number(words, `${name}.${key}`);
  const isLimited = words.get(`${name}.status`)?.[0];
  const reasons = [...new Set(words.get(`${name}.throttle`) ?? [])];
  const microjoules = value("uj") ?? value("uj2");
  const microwatts = value("uw");
  const millidegrees = value("temp") ?? value("temp2");
  return {
    bdf,
    actualMhz: value("act"),
    requestedMhz: value("cur"),
    windowMinMhz: value("min"),
    windowMaxMhz: value("max"),
    throttle: isLimited === undefined ? null : isLimited === "0" ? [] : reasons.length > 0 ? reasons : ["unknown"],
    joules: microjoules === null ? null : microjoules / 1e6,
    powerW: microwatts === null ? (told?.powerW ?? null) : microwatts / 1e6,
    temperatureC: millidegrees === null ? (told?.temperatureC ?? null) : millidegrees / 1000,
    vramUsedMiB: told?.vramUsedMiB ?? null,
  };
}

function countersOf(head: Words, words: Words): Counter[] {
  return [...words].flatMap(([name, [text = ""]]) => {
    const index = /^pkg(\d+)$/.exec(name)?.[1];
    const microjoules = toNumber(text);
    if (index === undefined || microjoules === null) return [];
    const range = number(head, `range${index}`);
    return [{ joules: microjoules / 1e6, range: range === null ? null : range / 1e6 }];
  });
}

function number(words: Words, name: string): number | null {
  return toNumber(words.get(name)?.[0]);
}

function toNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,18}(\.\d{1,6})?$/.test(text) ? Number(text) : null;
}

function mhzOfKhz(khz: number | null): number | null {
  return khz === null ? null : Math.round(khz / 1000);
}
