import { describe, expect, it } from "vitest";
import { type ActionsLog, actionsConsole } from "../../src/adapters/actions-console.ts";
import { Secret } from "../../src/core/secret.ts";

/** A console whose calls of @actions/core are written down, one per line, as `name: text`. */
function recorded() {
  const calls: string[] = [];
  const time = { nowMs: 0 };
  const note = (name: string) => (text: string | Error) => {
    calls.push(`${name}: ${text}`);
  };
  const core: ActionsLog = {
    info: note("info"),
    warning: note("warning"),
    error: note("error"),
    startGroup: note("group"),
    endGroup: () => {
      calls.push("end");
    },
    setSecret: note("mask"),
  };
  return { calls, time, console: actionsConsole({ core, nowMs: () => time.nowMs }) };
}

describe("actionsConsole()", () => {
  it("closes a group before it opens the next", () => {
    const { console, calls } = recorded();
    console.endGroup();
    console.group("Check");
    console.group("Provision");
    console.endGroup();
    console.finish();
    expect(calls).toEqual(["group: Check", "end", "group: Provision", "end"]);
  });

  it("annotates nine warnings and nine errors, logs the others and counts them at the end", () => {
    const { console, calls } = recorded();
    for (let number = 1; number <= 12; number += 1) console.warn(`w${number}`);
    for (let number = 1; number <= 10; number += 1) console.error(`e${number}`);
    console.finish();
    const annotations = (kind: string) => calls.filter((call) => call.startsWith(`${kind}:`));
    expect(annotations("warning")).toHaveLength(10);
    expect(annotations("warning").at(-1)).toBe("warning: and 3 more warnings, see the log");
    expect(annotations("error").at(-1)).toBe("error: and 1 more errors, see the log");
    expect(calls).toContain("info: warning: w12");
    expect(calls).toContain("info: error: e10");
  });

  it("cuts an annotation at what the runner keeps", () => {
    const { console, calls } = recorded();
    console.warn("x".repeat(10_000));
    expect(calls[0]).toHaveLength("warning: ".length + 4096);
  });

  it.each([
    "::set-output name=a::b",
    "  ::add-mask::x",
    "\u0085::error::x",
    "ok\n::warning::x",
    "ok\r\n::warning::x",
    "ok\r::warning::x",
    "text ##[group]x",
  ])("takes the workflow command out of %j", (text) => {
    const { console, calls } = recorded();
    console.info(text);
    console.progress(text);
    console.group(text);
    for (const call of calls) {
      const lines = call.replace(/^(info|group): /, "").split(/\r\n|\r|\n/);
      expect(lines.filter((line) => /^[\s\u0085]*::|##\[/.test(line))).toEqual([]);
    }
    expect(calls).toHaveLength(3);
  });

  it("hides a secret in its own lines and makes the runner mask its other spellings", () => {
    const { console, calls } = recorded();
    console.hideSecret(new Secret("hunter2!"));
    console.info("key hunter2!");
    console.warn("key hunter2!");
    console.error(`key ${Buffer.from("hunter2!").toString("base64")}`);
    const printed = calls.filter((call) => !call.startsWith("mask:"));
    expect(printed).toEqual(["info: key ***", "warning: key ***", "error: key ***"]);
    expect(calls).toContain("mask: hunter2!");
    expect(calls).toContain(`mask: ${Buffer.from("hunter2!").toString("base64")}`);
  });

  it("prints progress at most every 15 s", () => {
    const { console, calls, time } = recorded();
    for (let second = 0; second <= 20; second += 1) {
      time.nowMs = second * 1000;
      console.progress(`${second} s`);
    }
    expect(calls).toEqual(["info: 0 s", "info: 15 s"]);
  });
});
