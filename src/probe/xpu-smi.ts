import { type FactReader, type Reading, read, wholeNumber } from "./fact-reader.ts";

export interface XpuSmiReading {
  readonly version: string | null;
  readonly gpus: readonly XpuSmiGpu[];
}

/** One card as xpu-smi describes it. */
export interface XpuSmiGpu {
  readonly bdf: string;
  readonly memoryMiB: number | null;
  /** For example DG02_1.3253. */
  readonly firmwareVersion: string | null;
  /** Level Zero's driver. */
  readonly driverVersion: string | null;
  /** What `health` says of the clock; null: nothing, or "Unknown" as often on Arc. */
  readonly clockHealth: Health | null;
  /** The line that the card was read from. */
  readonly line: string;
}

export interface Health {
  readonly status: "ok" | "warning" | "critical";
  readonly description: string;
}

/**
 * Version, cards and their health. xpu-smi takes about a second for each answer, so it is started before everything else
 * (XPU_SMI_START) and read here. 1.x prints its version as a block, 2.x on a line; columns of `discovery --dump` up to 24
 * mean the same in 1.2, 1.3 and 2.x.
 */
export const xpuSmi: FactReader<XpuSmiReading> = {
  name: "xpu-smi",
  script: "cat <&7; cat <&5",
  parse({ text }) {
    const parts = partsOf(text);
    const version = versionOf(parts.get("version") ?? NO_PART);
    const gpus = gpusOf(parts.get("discovery") ?? NO_PART, parts.get("health") ?? NO_PART);
    return { ...version, value: { version: version.value, gpus } };
  },
};

/** Starts xpu-smi in the background of a batch. Descriptors 7 and 5 give its answers; one that hangs is given up on. */
export const XPU_SMI_START = `
arc_xpu_smi() {
  echo '[version]'; arc_limit 20 xpu-smi -v; echo "[end] $?"
  command -v xpu-smi >/dev/null || return
  echo '[discovery]'; arc_limit 20 xpu-smi discovery --dump 1,2,8,9,11,16; echo "[end] $?"
}
arc_xpu_smi_health() {
  command -v xpu-smi >/dev/null || return
  echo '[health]'; arc_limit 20 xpu-smi health -l -j; echo "[end] $?"
}
exec 7< <(arc_xpu_smi 2>&1 </dev/null) 5< <(arc_xpu_smi_health 2>&1 </dev/null)
`;

interface Part {
  readonly text: string;
  readonly exitCode: number | null;
}

const NO_PART: Part = { text: "", exitCode: null };

function partsOf(text: string): ReadonlyMap<string, Part> {
  const parts = [...text.matchAll(/^\[(version|discovery|health)\]\n([\s\S]*?)(?:^\[end\] (\d{1,3})$|(?![\s\S]))/gm)];
  return new Map(
    parts.map(([, name, body, code]) => [name as string, { text: body ?? "", exitCode: wholeNumber(code) }]),
  );
}

function versionOf({ text, exitCode }: Part): Reading<string | null> {
  const match = /\bversion:?\s+v?(\d+\.[\w.+~-]+)/i.exec(text) ?? /\bxpu-smi\s+v?(\d+\.[\w.+~-]+)/i.exec(text);
  if (match) return read(match[1] as string, match[0].trim());
  if (exitCode === 127) return read(null, "xpu-smi is not installed", "No xpu-smi on the host");
  return read(null, null, "xpu-smi version unknown: xpu-smi -v gave no version");
}

const BDF = /\b[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b/i;

function gpusOf(discovery: Part, health: Part): XpuSmiGpu[] {
  let titles: readonly string[] = [];
  const found = new Map<string, XpuSmiGpu>();
  for (const line of discovery.text.split("\n")) {
    const bdf = BDF.exec(line)?.[0].toLowerCase();
    const cells = cellsOf(line);
    if (bdf === undefined) {
      if (cells.some((cell) => /PCI BDF Address/i.test(cell))) titles = cells;
      continue;
    }
    const cell = (title: RegExp) => known(cells[titles.findIndex((name) => title.test(name))]);
    const id = cell(/^Device ID$/i);
    found.set(bdf, {
      bdf,
      memoryMiB: memoryOf(line),
      firmwareVersion: cell(/^GFX Firmware Version$/i),
      driverVersion: cell(/^Driver Version$/i),
      clockHealth: id === null ? null : healthOf(health.text, id),
      line: line.trim(),
    });
  }
  return [...found.values()];
}

/** CSV with or without quotes. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/\s*(?:"([^"]*)"|([^,]*))\s*(?:,|$)/g)].map(([, quoted, bare]) =>
    (quoted ?? bare ?? "").trim(),
  );
}

function known(cell: string | undefined): string | null {
  return cell === undefined || /^(|n\/a|unknown|-)$/i.test(cell) ? null : cell;
}

function memoryOf(line: string): number | null {
  const size = /\b(\d{3,7}(?:\.\d+)?)\s*(MiB|GiB)\b/i.exec(line);
  return size === null ? null : Math.round(Number(size[1]) * (/g/i.test(size[2] ?? "") ? 1024 : 1));
}

/** 1.x calls the part "frequency", 2.x "frequency_health"; a list of devices may be under any name. */
function healthOf(json: string, deviceId: string): Health | null {
  const start = json.search(/[[{]/);
  if (start === -1) return null;
  let document: unknown;
  try {
    document = JSON.parse(json.slice(start));
  } catch {
    return null;
  }
  const device = objectsIn(document).find((each) => String(each["device_id"] ?? each["device_index"]) === deviceId);
  const part = device?.["frequency"] ?? device?.["frequency_health"];
  if (!isObject(part)) return null;
  const status = String(part["status"]).toLowerCase();
  if (status !== "ok" && status !== "warning" && status !== "critical") return null;
  return { status, description: String(part["description"] ?? "") };
}

function objectsIn(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  if (!isObject(value)) return [];
  return [value, ...Object.values(value).flatMap(objectsIn)];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
