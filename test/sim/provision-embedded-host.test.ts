import { readFileSync } from "node:fs";
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { httpModelStream } from "../../src/adapters-http/http-model-stream.ts";
import { openShell } from "../../src/adapters-shell/open-shell.ts";
import { startServer } from "../../src/deploy/start-server.ts";
import { parsePlaybook, playbookSources } from "../../src/playbook/parse-playbook.ts";
import { probeHost } from "../../src/probe/probe-host.ts";
import { checkHost } from "../../src/provision/check-host.ts";
import { provisionHost } from "../../src/provision/provision-host.ts";
import { startEmbeddedHost } from "../../src/sim/embedded-host.ts";
import { SIMULATED_FINGERPRINT } from "../../src/sim-commands/network-commands.ts";
import { freePort, hostSpec, serveSpec, silent } from "./embedded-world.ts";

/** The A770 playbook as it is shipped, told to accept the simulated key and one card with a small window. */
function a770Playbook() {
  const path = "playbooks/ubuntu-22.04-a770.yml";
  const text = readFileSync(path, "utf8");
  const sources = new Map(playbookSources(text).map((name) => [name, readFileSync(`playbooks/${name}`, "utf8")]));
  return parsePlaybook(text, path, { resizable_bar: "warn", intel_key_fingerprints: SIMULATED_FINGERPRINT }, sources);
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
  expect(after.xpuSmi).toMatch(/^1\.2\.39/);
  expect(after.warnings).toEqual([]);
  const second = await checkHost({ shell, playbook, facts: after });
  expect(second.steps.filter(({ status }) => status === "would-change" || status === "failed")).toEqual([]);

  const models = httpModelStream();
  onTestFinished(() => models[Symbol.asyncDispose]());
  const serve = serveSpec(embedded, modelPort, { "tensor-parallel-size": 2 });
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
