import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Bootstrap,
  bootstrapCommand,
  frameScript,
  parseBootstrapCommand,
  parseFrame,
  START_LINE,
} from "../../src/core/script-frame.ts";

const bootstraps: Bootstrap[] = [
  { sudo: false, onDisconnect: "kill" },
  { sudo: false, onDisconnect: "finish" },
  { sudo: true, onDisconnect: "kill" },
  { sudo: true, onDisconnect: "finish" },
];
const loginShells = ["/bin/sh", "/bin/bash", "/bin/dash", "/usr/bin/zsh", "/usr/bin/fish", "/bin/csh"];
const text = fc.string({ unit: "grapheme" }).filter((value) => !/[\0\p{Surrogate}]/u.test(value));

describe("frameScript()", () => {
  it("gives the exact bytes: length in bytes, exports, text", () => {
    const frame = frameScript("echo €", { A: "it's", EMPTY: "" });
    expect(new TextDecoder().decode(frame)).toBe(`44\nexport A='it'\\''s'\nexport EMPTY=''\necho €\n`);
  });

  it("is read back by parseFrame(), whatever the text, the values and what follows", () => {
    fc.assert(
      fc.property(text, text, text, (script, value, heartbeats) => {
        const frame = frameScript(script, { VALUE: value });
        const sent = new Uint8Array([...frame, ...new TextEncoder().encode(heartbeats)]);
        expect(parseFrame(sent)?.body.endsWith(`\n${script}\n`)).toBe(true);
        expect(parseFrame(new TextDecoder("utf-8", { ignoreBOM: true }).decode(sent))).toEqual(parseFrame(sent));
      }),
    );
  });
});

describe("parseFrame()", () => {
  it("gives null until the whole frame is there", () => {
    const frame = frameScript("echo €uro", { A: "b" });
    for (let length = 0; length < frame.length; length += 1) {
      expect(parseFrame(frame.subarray(0, length))).toBeNull();
    }
    expect(parseFrame(frame)).toEqual({ body: "export A='b'\necho €uro\n" });
  });

  it.each(["", "\n", "x\necho", "-1\n", "\n\n"])("gives null for %j, which is no frame", (stdin) => {
    expect(parseFrame(stdin)).toBeNull();
  });
});

describe("bootstrapCommand()", () => {
  it("gives four strings that differ, and parseBootstrapCommand() tells them apart", () => {
    expect(new Set(bootstraps.map(bootstrapCommand)).size).toBe(4);
    expect(bootstraps.map(bootstrapCommand).map(parseBootstrapCommand)).toEqual(bootstraps);
    expect(parseBootstrapCommand("uname -a")).toBeNull();
  });

  // fish and csh treat backslash, "!" and line ends in single quotes in ways of their own.
  it.each(bootstraps)("gives one line without backslash and history mark ($sudo, $onDisconnect)", (bootstrap) => {
    expect(bootstrapCommand(bootstrap)).not.toMatch(/[\n\\!]/);
  });

  it.each(loginShells.filter((shell) => existsSync(shell)))("runs a script under the login shell %s", async (shell) => {
    const frame = frameScript('cat; printf %s "$VALUE"; echo oops >&2; exit 3', { VALUE: "it's\n$(id)" });
    for (const onDisconnect of ["kill", "finish"] as const) {
      const login = start(shell, ["-c", bootstrapCommand({ sudo: false, onDisconnect })], frame);
      expect(await login.ended).toEqual({
        code: 3,
        stdout: `${START_LINE}\nit's\n$(id)`,
        stderr: `${START_LINE}\noops\n`,
      });
    }
  });

  it("runs nothing of a script that was cut off", async () => {
    const cut = frameScript("echo begun; echo done", {}).subarray(0, -6);
    for (const onDisconnect of ["kill", "finish"] as const) {
      const login = start("/bin/sh", ["-c", bootstrapCommand({ sudo: false, onDisconnect })], cut);
      login.endStdin();
      expect(await login.ended).toMatchObject({ code: 125, stdout: "" });
    }
  });

  it("ends the script when stdin ends, but not others in a session that is not its own", async () => {
    const outer = '(cat "$FRAME"; sleep 1) | sh -c "$COMMAND"; echo "script $?"; echo "the session lives"';
    const folder = mkdtempSync(join(tmpdir(), "arc-vllm-frame-"));
    writeFileSync(join(folder, "frame"), frameScript("sleep 50", {}));
    const env = { COMMAND: bootstrapCommand({ sudo: false, onDisconnect: "kill" }), FRAME: join(folder, "frame") };
    const session = start("/bin/bash", ["-c", outer], new Uint8Array(), env);
    expect((await session.ended).stdout).toBe(`${START_LINE}\nscript 143\nthe session lives\n`);
    rmSync(folder, { recursive: true });
  });
});

/** Starts a program as the leader of a session, as sshd does, and keeps its stdin open until it has ended. */
function start(file: string, argv: string[], input: Uint8Array, env: Record<string, string> = {}) {
  const child = spawn(file, argv, { detached: true, env: { ...process.env, ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  child.stdin.on("error", () => {});
  child.stdin.write(input);
  child.once("exit", () => child.stdin.destroy());
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { ended, endStdin: () => child.stdin.end() };
}
