import { createColors } from "picocolors";
import { createRedactor, type Redactor } from "../core/redact.ts";
import type { Console } from "../ports/console.ts";
import { pacedLine } from "./paced-line.ts";
import { printableLines } from "./printable.ts";
import { terminalPanel } from "./terminal-panel.ts";

export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface TerminalConsoleOptions {
  readonly stream: TextStream;
  /** Default: `wantsColor` of the stream and the environment. */
  readonly color?: boolean;
  /** The terminal can move its cursor. Default: unless TERM is "dumb". */
  readonly movesCursor?: boolean;
  /** Shared with whatever else prints, so that each secret is made known once. */
  readonly redactor?: Redactor;
  /** Monotonic milliseconds. */
  readonly nowMs?: () => number;
}

/** A console for a terminal or a pipe: colours only when wanted, a changing line or panel only on a terminal. */
export function terminalConsole({
  stream,
  color = wantsColor(stream, process.env),
  movesCursor = process.env["TERM"] !== "dumb",
  redactor = createRedactor(),
  nowMs = () => performance.now(),
}: TerminalConsoleOptions): Console {
  const { bold, red, yellow } = createColors(color);
  const line = changingLine(stream);
  const panel = terminalPanel(stream, nowMs, (text, index) => (index === 0 ? bold(text) : text));
  const erase = () => {
    line.erase();
    panel.erase();
  };

  const print = (text: string) => {
    erase();
    stream.write(`${printableLines(redactor.clean(text), color).join("\n")}\n`);
  };
  const progressElsewhere = pacedLine(print, nowMs);

  return {
    info: print,
    warn: (text) => print(`${yellow("warning:")} ${text}`),
    error: (text) => print(`${red("error:")} ${text}`),
    group: (title) => print(`\n${bold(title)}`),
    endGroup: erase,
    progress: (text, lines = []) => {
      if (stream.isTTY !== true) return progressElsewhere(text);
      if (lines.length > 0 && movesCursor && panel.fits(lines)) {
        line.erase();
        panel.show(lines.map((one) => printableLines(redactor.clean(one), false).join(" ")));
        return;
      }
      panel.erase();
      line.show(printableLines(redactor.clean(text), false).join(" "));
    },
  };
}

/** Whether colours are wanted: on a terminal that knows them, unless NO_COLOR is set (no-color.org). */
export function wantsColor(stream: TextStream, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

/** The last line of a terminal, written over and over: with blanks, so that even a plain terminal can do it. */
function changingLine(stream: TextStream) {
  let width = 0;
  const show = (text: string) => {
    const shown = [...text].slice(0, Math.max(1, (stream.columns ?? 80) - 1));
    stream.write(`\r${shown.join("")}${" ".repeat(Math.max(0, width - shown.length))}`);
    width = shown.length;
  };
  return {
    show,
    erase() {
      if (width === 0) return;
      stream.write(`\r${" ".repeat(width)}\r`);
      width = 0;
    },
  };
}
