import Table from "cli-table3";
import pc from "picocolors";

export interface TableOptions {
  /** Colour codes for a terminal; off unless asked for. */
  readonly color?: boolean;
}

interface Layout {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Most characters a column may take before its cells are wrapped; null: as many as it needs. */
  readonly limits?: readonly (number | null)[];
  readonly rightAligned?: readonly number[];
  /** A line between rows, for cells of several lines. */
  readonly isRuled?: boolean;
}

/** A bordered table in plain text. */
export function terminalTable({ head, rows, limits = [], rightAligned = [], isRuled = false }: Layout): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, index) => (rightAligned.includes(index) ? "right" : "left")),
    style: { head: [], border: [], compact: !isRuled },
  });
  for (const row of rows) table.push(row.map((cell, index) => wrap(cell, limits[index] ?? null)));
  return table.toString();
}

/** Wraps at spaces; a word that is longer than a line (a digest, a path) is broken, since nothing may be cut off. */
function wrap(text: string, limit: number | null): string {
  if (limit === null) return text;
  return text
    .split("\n")
    .flatMap((line) => wrapLine(line, limit))
    .join("\n");
}

function wrapLine(line: string, limit: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > limit) {
    const space = rest.lastIndexOf(" ", limit);
    const end = space > limit / 2 ? space : limit;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

const PAINT: Readonly<Record<string, "green" | "yellow" | "red" | "dim">> = {
  ok: "green",
  PASS: "green",
  IMPROVED: "green",
  IDENTICAL: "green",
  changed: "yellow",
  "would-change": "yellow",
  warning: "yellow",
  INCONCLUSIVE: "yellow",
  CALIBRATING: "yellow",
  RECIPE_MISMATCH: "yellow",
  failed: "red",
  blocked: "red",
  REGRESSION: "red",
  INVALID: "red",
  skipped: "dim",
};

/** A status word, coloured when asked for. */
export function paintStatus(status: string, { color = false }: TableOptions): string {
  const paint = PAINT[status];
  return paint === undefined ? status : pc.createColors(color)[paint](status);
}
