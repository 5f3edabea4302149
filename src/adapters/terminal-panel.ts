export interface PanelStream {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
}

export interface TerminalPanel {
  /** Whether so many lines fit with room to spare. */
  fits(lines: readonly string[]): boolean;
  show(lines: readonly string[]): void;
  erase(): void;
}

/** More often than this nobody can read, and every drawing costs. */
const REDRAW_MS = 240;

/**
 * Lines at the end of a terminal that are drawn over and over. The cursor rests below them, so whatever the terminal
 * echoes (^C) or a killed process leaves behind stands on a line of its own.
 */
export function terminalPanel(
  stream: PanelStream,
  nowMs: () => number,
  paint: (line: string, index: number) => string,
): TerminalPanel {
  let drawn: readonly string[] = [];
  let drawnAtMs = Number.NEGATIVE_INFINITY;

  const columns = () => Math.max(20, stream.columns ?? 80);

  /** Rows that they take by now: a terminal that became narrower has wrapped them. */
  const rowsOf = (lines: readonly string[]) =>
    lines.reduce((rows, line) => rows + Math.max(1, Math.ceil([...line].length / columns())), 0);

  const eraser = () => (drawn.length === 0 ? "" : `\r${up(rowsOf(drawn))}${CLEAR_BELOW}`);

  return {
    fits: (lines) => lines.length < (stream.rows ?? 24) - 2,
    show(lines) {
      if (nowMs() - drawnAtMs < REDRAW_MS) return;
      drawnAtMs = nowMs();
      const cut = lines.map((line) => [...line].slice(0, columns() - 1).join(""));
      // In one write, so that no half of it is ever seen.
      stream.write(`${eraser()}${cut.map((line, index) => `${paint(line, index)}\n`).join("")}`);
      drawn = cut;
    },
    erase() {
      if (drawn.length === 0) return;
      stream.write(eraser());
      drawn = [];
      drawnAtMs = Number.NEGATIVE_INFINITY;
    },
  };
}

const CLEAR_BELOW = "\u001b[0J";

function up(rows: number): string {
  return `\u001b[${rows}A`;
}
