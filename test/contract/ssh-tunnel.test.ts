import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../src/adapters-http/http-model-stream.ts";
import { openSshShell } from "../../src/adapters-shell/ssh-shell.ts";
import { startRequest } from "../../src/bench/start-request.ts";
import { Secret } from "../../src/core/secret.ts";
import { tunnelCost } from "../../src/deploy/reach-server.ts";
import type { OpenConnection } from "../../src/ports/model-stream.ts";
import type { Shell } from "../../src/ports/shell.ts";
import { FAULT_CASES } from "../../src/trust/fault-cases.ts";
import { type FaultServer, startFaultServer } from "../fakes/fault-server.ts";
import { newKeyPair, startSshTestServer, type TestServer } from "./ssh-test-server.ts";

const hostKey = newKeyPair();
const userKey = newKeyPair();
let ssh: TestServer;
let shell: Shell;
let model: FaultServer;

async function login(server: TestServer): Promise<Shell> {
  return openSshShell(
    {
      ...{ connection: "ssh", name: "arc-1", address: "127.0.0.1", port: server.port, user: "tester" },
      trust: { kind: "known-hosts", text: `[127.0.0.1]:${server.port} ${hostKey.public}` },
      login: { kind: "private-key", key: new Secret(userKey.private), passphrase: null },
      connectTimeoutMs: 5_000,
    },
    systemClock,
  );
}

beforeAll(async () => {
  ssh = await startSshTestServer({ hostKeys: [hostKey], authorized: userKey });
  shell = await login(ssh);
  model = await startFaultServer();
});
afterAll(async () => {
  await shell[Symbol.asyncDispose]();
  await ssh.close();
  await model[Symbol.asyncDispose]();
});

/** Nothing has this address: only the far end of the connection knows what it means. */
const ELSEWHERE = "http://model.invalid:8000";

/** A client all of whose connections lead to the model server, through SSH. */
function tunnel() {
  const connect: OpenConnection = async () => {
    const { hostname, port } = new URL(model.baseUrl);
    if (shell.connectTo === undefined) throw new Error("ssh can connect");
    return shell.connectTo(hostname, Number(port));
  };
  return httpModelStream({ connect });
}

function send(profile: string, models = tunnel()) {
  const plan = {
    ...{ index: 0, rid: `rid-${profile}`, url: `${ELSEWHERE}/v1/chat/completions`, apiKey: null, wantedTokens: 8 },
    body: JSON.stringify({
      model: `m@${profile}`,
      max_tokens: 8,
      stream: true,
      stream_options: { include_usage: true },
    }),
    ...{ stallTimeoutMs: 15_000, totalTimeoutMs: 15_000 },
  };
  return startRequest(models, systemClock, plan, { scheduledMs: null, queuedMs: 0 }).done;
}

describe("requests through an SSH connection", () => {
  it("are read as those of a socket, many at the same time and one after the other on a kept connection", async () => {
    const models = tunnel();
    const traces = await Promise.all(Array.from({ length: 20 }, () => send("plain", models)));
    expect(traces.map(({ outcome, outputTokens }) => [outcome, outputTokens])).toEqual(traces.map(() => ["ok", 8]));
    expect(await send("plain", models)).toMatchObject({ outcome: "ok", resent: false });
  });

  // Those that end by a limit need somebody who watches it, and no connection to tell them apart.
  it.each(FAULT_CASES.filter(({ outcome }) => !outcome.endsWith("_timeout")))(
    "end as $outcome when the server does as in $profile",
    async ({ profile, outcome }) => {
      expect(await send(profile)).toMatchObject({ outcome });
    },
  );

  it("are refused as by a socket when nothing listens there", async () => {
    const connect: OpenConnection = async () => shell.connectTo?.("127.0.0.1", 1) as ReturnType<OpenConnection>;
    expect(await send("plain", httpModelStream({ connect }))).toMatchObject({
      outcome: "connect",
      detail: expect.stringContaining("no connection to 127.0.0.1:1 through SSH"),
    });
  });

  it("say that sshd does not allow them", async () => {
    const server = await startSshTestServer({ hostKeys: [hostKey], authorized: userKey, neverForwards: true });
    const refused = await login(server);
    await expect(refused.connectTo?.("127.0.0.1", 80)).rejects.toThrow(/no connection to 127\.0\.0\.1:80 through SSH/);
    await refused[Symbol.asyncDispose]();
    await server.close();
  });

  it("have a cost that can be measured, beside that of the direct way", async () => {
    const cost = await tunnelCost({ tunnel: tunnel(), direct: httpModelStream() }, ELSEWHERE, systemClock);
    expect(cost.roundTripMs).toBeGreaterThan(0);
    expect(cost.directMs).toBeNull();
  });
});
