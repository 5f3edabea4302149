import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startArcVllm } from "./arc-vllm.ts";
import { type LabHost, startLabHost } from "./lab-host.ts";

/** The host is one machine with a history: each test starts where the one before it ended. */
describe("arc-vllm serve on a host with systemd and Docker", () => {
  let host: LabHost;
  let port: number;
  beforeAll(async () => {
    host = await startLabHost({ hardware: "rebar-on" });
    await host.rootOk(`cat >/root/api_server.py <<'END'\n${await readFile(serverPath, "utf8")}\nEND\n${BUILD_IMAGE}`);
    port = await freePort();
    await host.forward(port, port);
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  const arcVllm = async (command: string) => {
    const serve = { engine: "ipex-llm", image: "ipex-llm:1", model: "/models/tiny", port, "shm-size-gib": 1 };
    const run = await startArcVllm(host, command, { serve: { ...serve, privileged: false, pull: "never" } });
    return await run.ended;
  };

  it("leaves a server that answers", async () => {
    const { exitCode, output } = await arcVllm("serve");
    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    expect(output).toContain(`tiny at http://127.0.0.1:${port}/v1`);
    expect(await answerOf(port)).toBe(200);
    expect(await host.rootOk(`systemctl is-enabled arc-vllm-${port}; systemctl is-active arc-vllm-${port}`)).toBe(
      "enabled\nactive",
    );
  });

  it("is started again after a crash", async () => {
    const before = await host.rootOk(`docker inspect --format '{{.State.Pid}}' arc-vllm-${port}`);
    await host.rootOk(`kill -KILL ${before}`);
    await until(async () => {
      const now = await host.root(`docker inspect --format '{{.State.Pid}}' arc-vllm-${port}`);
      return !["0", before].includes(now.stdout.trim());
    });
    expect(await answerOf(port)).toBe(200);
  });

  it("is back after a reboot", async () => {
    await host.reboot();
    expect(await answerOf(port)).toBe(200);
  });

  it("is back after a power cut", async () => {
    await host.rootOk("sync");
    await host.powerCut();
    host.powerOn();
    await host.waitForSsh();
    expect(await answerOf(port)).toBe(200);
  });

  it("is ended by stop, which leaves nothing that a reboot could bring back", async () => {
    const { exitCode, output } = await arcVllm("stop");
    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    expect(output).toContain(`ended container arc-vllm-${port}, unit arc-vllm-${port}.service`);
    const left = await host.rootOk(`
      docker ps --all --quiet
      find /etc/systemd /run/systemd/system /var/lib/arc-vllm -name '*arc-vllm*'
      systemctl list-units --all --plain --no-legend 'arc-vllm*'`);
    expect(left).toBe("");
  });
});

const serverPath = join(import.meta.dirname, "model_server.py");

/** From the guest's own bash and Python, since it has no network; and a model folder. */
const BUILD_IMAGE = `
  set -e
  root=/root/image
  mkdir -p $root/usr/bin $root/bin $root/tmp /models/tiny
  echo '{}' >/models/tiny/config.json
  python=$(readlink -f /usr/bin/python3)
  for program in /bin/bash $python; do
    cp --parents -L $program $(ldd $program | grep -o '/[^ ]*') $root
  done
  ln -s $python $root/usr/bin/python
  cp -r --parents /usr/lib/python3.11 $root
  rm -rf $root/usr/lib/python3.11/{lib-dynload,__pycache__}
  module=$root/usr/lib/python3.11/ipex_llm/vllm/xpu/entrypoints/openai
  mkdir -p $module
  mv /root/api_server.py $module
  tar -C $root -c . | docker import - ipex-llm:1
  rm -rf $root`;

/** Status of the first answer to a completion; the server may still be on its way up. */
async function answerOf(port: number): Promise<number> {
  let status = 0;
  await until(async () => {
    const ask = fetch(`http://127.0.0.1:${port}/v1/completions`, {
      method: "POST",
      body: "{}",
      signal: AbortSignal.timeout(10_000),
    });
    status = await ask.then((answer) => answer.status).catch(() => 0);
    return status !== 0;
  });
  return status;
}

/** Waits for something that comes within a minute on a quiet machine. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 600_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error("Lab host: what was waited for did not come within 10 min");
    await sleep(500);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("Cannot find a free port");
  return address.port;
}
