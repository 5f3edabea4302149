/** What xpu-smi last said about a card. */
export interface XpuSmiReading {
  readonly powerW: number | null;
  readonly temperatureC: number | null;
  readonly vramUsedMiB: number | null;
}

/** The reading of a card that is still fresh at a time; null: there is none. */
export type LatestReading = (bdf: string, atMs: number) => XpuSmiReading | null;

/** Longer ago than this, xpu-smi has ended or hangs. */
const FRESH_MS = 10_000;

/**
 * Reads `xpu-smi discovery --dump 1,11`, which names the cards, and then `xpu-smi dump`. Columns are found by the words
 * of the head, which differ between 1.2, 1.3 and 2.x; rows are CSV padded with spaces, with N/A for what there is not.
 */
export function xpuSmiDumpReader(): { take(line: string, atMs: number): void; readonly latest: LatestReading } {
  const addresses = new Map<string, string>();
  const readings = new Map<string, { readonly atMs: number; readonly reading: XpuSmiReading }>();
  let columns: readonly Column[] = [];
  return {
    take(line, atMs) {
      const cells = line.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
      const [first = "", second = ""] = cells;
      if (/^\d{1,3}$/.test(first) && BDF.test(second)) addresses.set(first, second.toLowerCase());
      else if (cells.some((cell) => columnOf(cell) !== null)) columns = cells.map(columnOf);
      else {
        const bdf = addresses.get(cells[columns.indexOf("device")] ?? "");
        if (bdf !== undefined) readings.set(bdf, { atMs, reading: readingOf(columns, cells) });
      }
    },
    latest(bdf, atMs) {
      const found = readings.get(bdf);
      return found === undefined || atMs - found.atMs > FRESH_MS ? null : found.reading;
    },
  };
}

type Column = "device" | "power" | "temperature" | "memory" | null;

function columnOf(title: string): Column {
  if (/^device ?id$|^index$/i.test(title)) return "device";
  if (/^(gpu )?power\b|^power\.draw/i.test(title)) return "power";
  if (/core temperature|^temperature\.gpu/i.test(title)) return "temperature";
  return /memory used|^memory\.used/i.test(title) ? "memory" : null;
}

function readingOf(columns: readonly Column[], cells: readonly string[]): XpuSmiReading {
  const value = (column: Column) => {
    const text = /^-?\d{1,9}(\.\d+)?/.exec(cells[columns.indexOf(column)] ?? "")?.[0];
    return text === undefined ? null : Number(text);
  };
  return { powerW: value("power"), temperatureC: value("temperature"), vramUsedMiB: value("memory") };
}

const BDF = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/i;
