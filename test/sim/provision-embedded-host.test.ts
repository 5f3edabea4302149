import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { httpModelStream } from "../../src/adapters/http-model-stream.ts";
import { openShell } from "../../src/adapters/open-shell.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { Secret } from "../../src/core/secret.ts";
import { startServer } from "../../src/deploy/start-server.ts";
import type { IpexLlmServe, SshHostSpec } from "../../src/inputs/run-config.ts";
import { parsePlaybook, playbookSources } from "../../src/plan/parse-playbook.ts";
import type { Console } from "../../src/ports/console.ts";
import { probeHost } from "../../src/probe/probe-host.ts";
import { checkHost } from "../../src/provision/check-host.ts";
import { provisionHost } from "../../src/provision/provision-host.ts";
import { type EmbeddedHost, startEmbeddedHost } from "../../src/sim/embedded-host.ts";
import { SIMULATED_FINGERPRINT } from "../../src/sim/network-commands.ts";

const silent: Console = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  group: () => undefined,
  endGroup: () => undefined,
  progress: () => undefined,
};

function hostSpec(host: EmbeddedHost): SshHostSpec {
  return {
    connection: "ssh",
    name: "sim",
    address: host.address,
    port: host.sshPort,
    user: host.user,
    trust: { kind: "fingerprints", sha256: [host.hostKeySha256] },
    login: { kind: "private-key", key: new Secret(host.privateKey), passphrase: null },
    connectTimeoutMs: 5_000,
  };
}

function serveSpec(host: EmbeddedHost, port: number): IpexLlmServe {
  return {
    engine: "ipex-llm",
    servedModelName: "llama",
    readyTimeoutMs: 20_000,
    apiKey: null,
    model: `${host.modelFolder}/Meta-Llama-3.1-8B-Instruct`,
    port,
    bind: "127.0.0.1",
    flags: {
      device: "xpu",
      dtype: "float16",
      "enforce-eager": true,
      "load-in-low-bit": "sym_int4",
      "max-model-len": 2048,
      "max-num-batched-tokens": 4000,
      "max-num-seqs": 12,
      "tensor-parallel-size": 2,
    },
    env: {},
    cards: null,
    image: host.image,
    shmSizeGib: 16,
    pull: "missing",
  };
}

/** The A770 playbook as it is shipped, told to accept the simulated key and one card with a small window. */
function a770Playbook() {
  const path = "playbooks/ubuntu-22.04-a770.yml";
  const text = readFileSync(path, "utf8");
  const sources = new Map(playbookSources(text).map((name) => [name, readFileSync(`playbooks/${name}`, "utf8")]));
  return parsePlaybook(text, path, { resizable_bar: "warn", intel_key_fingerprints: SIMULATED_FINGERPRINT }, sources);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

it("the embedded host goes from its bad state to a served model by the real playbook, adapter and engine", async () => {
  const modelPort = await freePort();
  const embedded = await startEmbeddedHost({ clock: systemClock, modelPort });
  onTestFinished(() => embedded.stop());
  const host = hostSpec(embedded);
  const shell = await openShell(host, systemClock);
  onTestFinished(() => shell[Symbol.asyncDispose]());
  const playbook = a770Playbook();

  const before = await probeHost(shell, systemClock);
  expect(before).toMatchObject({ kernel: { running: "6.8.0-45-generic" }, login: { groups: ["arc", "adm", "sudo"] } });
  const record = await provisionHost({ shell, clock: systemClock, console: silent, playbook, facts: before });
  expect(record).toMatchObject({ converged: true, reboots: 2 });

  const after = await probeHost(shell, systemClock);
  expect(after.kernel).toMatchObject({ running: "6.5.0-35-generic", i915Loaded: "dkms" });
  expect(after.warnings.filter((warning) => !/xpu-smi/.test(warning))).toEqual([]);
  const second = await checkHost({ shell, playbook, facts: after });
  expect(second.steps.filter(({ status }) => status === "would-change" || status === "failed")).toEqual([]);

  const models = httpModelStream();
  onTestFinished(() => models[Symbol.asyncDispose]());
  const serve = serveSpec(embedded, modelPort);
  const world = { shell, models, clock: systemClock, console: silent, host };
  const server = await startServer({ ...world, serve, signal: new AbortController().signal });
  expect(server.deployment).toMatchObject({ tensorParallel: 2, maxModelLen: 2048, engineVersion: "0.8.3+simulated" });
  const answer = await models.ask(
    {
      method: "POST",
      url: `${server.deployment.baseUrl}/v1/completions`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "llama", prompt: "Hello", max_tokens: 3 }),
    },
    { timeoutMs: 5_000 },
  );
  expect(JSON.parse(answer.body)).toMatchObject({ usage: { completion_tokens: 3 } });

  await server.stop();
  expect(embedded.containers()).toEqual([]);
}, 90_000);
