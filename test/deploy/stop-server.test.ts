import { describe, expect, it } from "vitest";
import { STOP_CONTAINER } from "../../src/deploy/ipex-llm-scripts.ts";
import { stopServer } from "../../src/deploy/stop-server.ts";
import { STOP_PROCESS } from "../../src/deploy/vllm-scripts.ts";
import { fakeShell } from "../fakes/fake-shell.ts";

describe("stopServer()", () => {
  it("does nothing, twice, when nothing runs", async () => {
    const shell = fakeShell();
    await stopServer({ shell, port: 8000 });
    expect(await stopServer({ shell, port: 8000 })).toEqual({ ended: [], logPath: null });
  });

  it("asks for root only when there is a container", async () => {
    const shell = fakeShell(({ text }) => ({ stdout: text === STOP_PROCESS ? "ended=process group 4711" : "" }));
    expect((await stopServer({ shell, port: 8000 })).ended).toEqual(["process group 4711"]);
    expect(shell.ran.map(({ sudo }) => sudo)).toEqual([false]);
  });

  it("ends on the host even when our connection goes away, and comes back to see it", async () => {
    let broken = false;
    const shell = fakeShell(({ text }) => {
      if (text === STOP_PROCESS) return { stdout: "container=yes" };
      if (broken) return { stdout: "" };
      broken = true;
      return { ended: "connection-lost" };
    });
    await stopServer({ shell, port: 8000 });
    expect(shell.reconnects).toBe(1);
    expect(shell.ran.every(({ options }) => options.onDisconnect === "finish")).toBe(true);
  });

  it("throws SERVER_STOP_FAILED and names what is left", async () => {
    const shell = fakeShell(({ text }) => ({
      stdout: text === STOP_CONTAINER ? "left=container arc-vllm-8000" : "container=yes",
    }));
    await expect(stopServer({ shell, port: 8000 })).rejects.toMatchObject({
      code: "SERVER_STOP_FAILED",
      message: expect.stringContaining("container arc-vllm-8000"),
    });
  });
});
