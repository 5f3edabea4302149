import { describe, expect, it } from "vitest";
import { terminalConsole } from "../../src/adapters/terminal-console.ts";

function recorded(
  options: { columns?: number; rows?: number; color?: boolean; movesCursor?: boolean; isTTY?: boolean } = {},
) {
  const { columns = 40, rows = 20, color = false, movesCursor = true, isTTY = true } = options;
  const seen = { text: "", nowMs: 0 };
  const stream = { isTTY, columns, rows, write };
  function write(text: string): void {
    seen.text += text;
  }
  return { seen, stream, console: terminalConsole({ stream, color, movesCursor, nowMs: () => seen.nowMs }) };
}

/** What stands on a terminal of these columns: it wraps, and knows cursor up and clear below. */
function screenOf(text: string, columns: number): string[] {
  const rows: string[] = [];
  let row = 0;
  let column = 0;
  // Written as a sign of its own, an escape code is easier to take apart.
  for (const [token] of text.replaceAll("\u001b", "␛").matchAll(/␛\[\d*[A-Za-z]|[\s\S]/g)) {
    const up = /^␛\[(\d+)A$/.exec(token);
    if (up !== null) row = Math.max(0, row - Number(up[1]));
    else if (token === "␛[0J") rows.splice(row, rows.length, (rows[row] ?? "").slice(0, column));
    else if (token === "\r") column = 0;
    else if (token === "\n" || column === columns) {
      row += 1;
      column = 0;
    }
    if (/^[^␛\r\n]/.test(token)) {
      rows[row] = (rows[row] ?? "").slice(0, column).padEnd(column) + token + (rows[row] ?? "").slice(column + 1);
      column += 1;
    }
  }
  return [...rows].filter((line) => (line ?? "") !== "");
}

const PANEL = ["chat c=2", "  1/10 done", "  5 s left"];

describe("the panel of terminalConsole()", () => {
  it("is drawn over and over and gives way to other lines", () => {
    const { console, seen } = recorded();
    console.progress("short", PANEL);
    seen.nowMs = 250;
    console.progress("short", ["chat c=2", "  2/10 done", "  4 s left"]);
    expect(screenOf(seen.text, 40)).toEqual(["chat c=2", "  2/10 done", "  4 s left"]);
    console.info("Wrote result.json");
    expect(screenOf(seen.text, 40)).toEqual(["Wrote result.json"]);
    console.progress("short", PANEL);
    expect(screenOf(seen.text, 40)).toEqual(["Wrote result.json", ...PANEL]);
    console.endGroup();
    expect(screenOf(seen.text, 40)).toEqual(["Wrote result.json"]);
  });

  it("is drawn at most four times a second, each time in one write", () => {
    const { console, seen, stream } = recorded();
    let writes = 0;
    const { write } = stream;
    stream.write = (text) => {
      writes += 1;
      write(text);
    };
    for (let ms = 0; ms < 1000; ms += 10) {
      seen.nowMs = ms;
      console.progress("short", PANEL);
    }
    expect(writes).toBeGreaterThan(2);
    expect(writes).toBeLessThanOrEqual(5);
  });

  it("is cut to the width, and still erased whole when the terminal became narrower", () => {
    const { console, seen, stream } = recorded({ columns: 60 });
    console.progress("short", ["x".repeat(90), "y"]);
    expect(screenOf(seen.text, 60)).toEqual(["x".repeat(59), "y"]);
    stream.columns = 25;
    console.info("done");
    expect(screenOf(seen.text, 25)).toEqual(["done"]);
  });

  it("leaves nothing behind when the terminal echoes ^C below it", () => {
    const { console, seen } = recorded();
    console.progress("short", PANEL);
    seen.text += "^C";
    console.error("the run was cancelled");
    expect(screenOf(seen.text, 40)).toEqual(["error: the run was cancelled"]);
  });

  it.each([
    ["a terminal of few rows", { rows: 4 }],
    ["a dumb terminal", { movesCursor: false }],
  ])("is one line on %s", (_, options) => {
    const { console, seen } = recorded(options);
    console.progress("1/10 done", PANEL);
    expect(seen.text).toBe("\r1/10 done");
  });

  it("is a plain line in a log, and has no colour without colour", () => {
    const log = recorded({ isTTY: false });
    log.console.progress("1/10 done", PANEL);
    expect(log.seen.text).toBe("1/10 done\n");
    const terminal = recorded();
    terminal.console.progress("short", PANEL);
    expect(terminal.seen.text).toBe(`${PANEL.join("\n")}\n`);
  });

  it("never acts on escape codes in names", () => {
    const { console, seen } = recorded();
    console.progress("short", ["chat\u001b[2J\u001b[9A c=2"]);
    expect(seen.text).not.toContain("\u001b");
  });
});
