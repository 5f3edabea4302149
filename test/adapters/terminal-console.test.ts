import { describe, expect, it } from "vitest";
import { terminalConsole, wantsColor } from "../../src/adapters/terminal-console.ts";
import { createRedactor } from "../../src/core/redact.ts";
import { Secret } from "../../src/core/secret.ts";

/** A console that writes into a string, and time that tests move. */
function recorded(options: { isTTY?: boolean; color?: boolean; columns?: number } = {}) {
  const { isTTY = false, color = false, columns = 40 } = options;
  const redactor = createRedactor();
  const seen = { text: "", nowMs: 0 };
  const stream = {
    isTTY,
    columns,
    write: (text: string) => {
      seen.text += text;
    },
  };
  return { redactor, seen, console: terminalConsole({ stream, color, redactor, nowMs: () => seen.nowMs }) };
}

/** What a terminal of these columns shows after the text: only \r and \n move its cursor. */
function screenAfter(text: string): string[] {
  return text.split("\n").map((line) => {
    const cells: string[] = [];
    let column = 0;
    for (const character of line) {
      if (character === "\r") column = 0;
      else {
        cells[column] = character;
        column += 1;
      }
    }
    return cells.join("").trimEnd();
  });
}

describe("terminalConsole()", () => {
  it("marks warnings and errors in words, not only in colour", () => {
    const { console, seen } = recorded();
    console.info("plain");
    console.warn("careful");
    console.error("broken");
    expect(seen.text).toBe("plain\nwarning: careful\nerror: broken\n");
  });

  it("writes no escape codes without colour, whatever the text brings along", () => {
    const { console, seen } = recorded({ isTTY: true });
    console.info("\u001b[31mred\u001b[0m \u001b]0;title\u0007\u001b[2Jcleared \u0007bell");
    console.group("title");
    console.progress("\u001b[1mbusy\u001b[0m");
    expect(seen.text).not.toContain("\u001b");
    expect(seen.text).toContain("red cleared \\u0007bell");
  });

  it("keeps colours but no other escape codes on a terminal with colour", () => {
    const { console, seen } = recorded({ isTTY: true, color: true });
    console.info("\u001b[31mred\u001b[0m\u001b[2J\u001b[1;1H\u001b]8;;http://x\u001b\\link");
    expect(seen.text).toBe("\u001b[31mred\u001b[0mlink\n");
  });

  it("rewrites one line for progress on a terminal and gives it up for other lines", () => {
    const { console, seen } = recorded({ isTTY: true });
    console.progress("10 of 100 requests");
    console.progress("20 of 100");
    expect(screenAfter(seen.text)).toEqual(["20 of 100"]);
    console.info("ready");
    console.progress("30 of 100");
    expect(screenAfter(seen.text)).toEqual(["ready", "30 of 100"]);
    console.endGroup();
    expect(screenAfter(seen.text)).toEqual(["ready", ""]);
  });

  it("cuts progress to the width of the terminal, so that it stays one line", () => {
    const { console, seen } = recorded({ isTTY: true, columns: 10 });
    console.progress("0123456789abcdef\nmore");
    expect(screenAfter(seen.text)).toEqual(["012345678"]);
  });

  it("prints progress at most every 15 s where nothing can be rewritten", () => {
    const { console, seen } = recorded();
    for (let second = 0; second <= 40; second += 1) {
      seen.nowMs = second * 1000;
      console.progress(`${second} s`);
    }
    expect(seen.text).toBe("0 s\n15 s\n30 s\n");
  });

  it("shows of a line with carriage returns what a terminal would show", () => {
    const { console, seen } = recorded();
    console.info("10 %\r50 %\r100 %\r\nnext\r");
    expect(seen.text).toBe("100 %\nnext\n");
  });

  it("hides secrets in everything it prints", () => {
    const { console, redactor, seen } = recorded({ isTTY: true });
    redactor.hide(new Secret("hunter2!"));
    console.info("a hunter2!");
    console.warn("b hunter2!");
    console.error("c hunter2!");
    console.group("d hunter2!");
    console.progress("e hunter2!");
    expect(seen.text).not.toContain("hunter2");
    expect(seen.text.match(/\*\*\*/g)).toHaveLength(5);
  });
});

describe("wantsColor()", () => {
  it.each([
    { isTTY: true, env: {}, wants: true },
    { isTTY: false, env: {}, wants: false },
    { isTTY: true, env: { NO_COLOR: "1" }, wants: false },
    { isTTY: true, env: { NO_COLOR: "" }, wants: true },
    { isTTY: true, env: { TERM: "dumb" }, wants: false },
  ])("is $wants for a terminal ($isTTY) with $env", ({ isTTY, env, wants }) => {
    expect(wantsColor({ isTTY, write: () => true }, env)).toBe(wants);
  });
});
