import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { FakeClock } from "./fake-clock.ts";
import { fakeShell } from "./fake-shell.ts";

describe("fakeShell()", () => {
  it("records what ran and plays results as a real shell gives them", async () => {
    const lines: string[] = [];
    const shell = fakeShell(({ env }) =>
      env["TOKEN"] === "hf" ? { exitCode: 3, stdout: "a\nb" } : { exitCode: null },
    );
    const script = { name: "x", text: "true", env: { TOKEN: new Secret("hf") } };
    const options = { timeoutMs: 1, onLine: (line: string) => lines.push(line) };
    expect(await shell.run(script, options)).toMatchObject({ ended: "exited", exitCode: 3, signal: null });
    expect(await shell.run({ name: "y", text: "" }, options)).toMatchObject({ ended: "connection-lost" });
    expect(shell.ran.map(({ name, sudo }) => `${name} ${sudo}`)).toEqual(["x false", "y false"]);
    expect(lines).toEqual(["a", "b"]);
  });
});

describe("FakeClock", () => {
  it("moves when someone sleeps", async () => {
    const clock = new FakeClock("2026-11-24T00:00:00.000Z");
    await clock.sleep(1_500);
    expect([clock.nowMs(), clock.isoNow()]).toEqual([1_500, "2026-11-24T00:00:01.500Z"]);
  });
});
