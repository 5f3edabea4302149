import { describe, expect, it } from "vitest";
import { directOrTunnel } from "../../src/deploy/reach-server.ts";
import { type FakeAnswer, fakeModelStream } from "../fakes/fake-model-stream.ts";

const request = { method: "GET", url: "http://gpu:8000/health", headers: {} } as const;
const limits = { timeoutMs: 120_000, signal: new AbortController().signal };

/** Two ways that answer in turn what is given; null is a port that cannot be reached. The last answer stays. */
function ways(direct: readonly FakeAnswer[], tunnel: readonly FakeAnswer[]) {
  const inTurn = (answers: readonly FakeAnswer[]) => {
    let at = 0;
    return fakeModelStream(() => {
      const answer = answers[Math.min(at, answers.length - 1)] ?? null;
      at += 1;
      return answer;
    });
  };
  const [here, there] = [inTurn(direct), inTurn(tunnel)];
  return { here, there, reach: directOrTunnel(here, there) };
}

const UP = { body: "direct" };
const THERE = { body: "through ssh" };

describe("directOrTunnel()", () => {
  it("goes directly when that works, and never asks the host", async () => {
    const { there, reach } = ways([UP], [THERE]);
    expect((await reach.models.ask(request, limits)).body).toBe("direct");
    expect(reach.isTunnelled()).toBe(false);
    expect(there.asked).toEqual([]);
  });

  it("goes through SSH when the port cannot be reached from here, and stays with that", async () => {
    const { here, reach } = ways([null], [THERE]);
    expect((await reach.models.ask(request, limits)).body).toBe("through ssh");
    expect(reach.isTunnelled()).toBe(true);
    const before = here.asked.length;
    await reach.models.ask(request, limits);
    expect(here.asked).toHaveLength(before);
  });

  it("tells the direct failure while neither works, and decides nothing", async () => {
    const { reach } = ways([null, null, UP], [null]);
    await expect(reach.models.ask(request, limits)).rejects.toMatchObject({ code: "ENDPOINT_UNREACHABLE" });
    await expect(reach.models.ask(request, limits)).rejects.toMatchObject({ code: "ENDPOINT_UNREACHABLE" });
    await reach.models.ask(request, limits);
    expect(reach.isTunnelled()).toBe(false);
  });

  it("goes directly when the server came up between the two attempts", async () => {
    const { reach } = ways([null, UP], [THERE]);
    expect((await reach.models.ask(request, limits)).body).toBe("direct");
    expect(reach.isTunnelled()).toBe(false);
  });

  it("takes an error status for an answer: the port was reached", async () => {
    const { reach } = ways([{ status: 503 }], [THERE]);
    expect((await reach.models.ask(request, limits)).status).toBe(503);
    expect(reach.isTunnelled()).toBe(false);
  });
});
