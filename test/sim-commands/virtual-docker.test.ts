import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { MachineOptions } from "../../src/sim/start-machine.ts";
import { type BootedMachine, bootedMachine } from "../sim/booted-machine.ts";

const IMAGE = "intelanalytics/ipex-llm-serving-xpu:0.8.3-b19";
const LLAMA = "/llm/models/Meta-Llama-3.1-8B-Instruct";

async function dockerHost(over: Partial<MachineOptions> = {}): Promise<BootedMachine> {
  const host = await bootedMachine(over);
  await host.sudo(`docker pull ${IMAGE}`);
  return host;
}

function serve(flags: string, options = "--privileged"): string {
  const command = `python -m ipex_llm.vllm.xpu.entrypoints.openai.api_server --port 8000 --device xpu --load-in-low-bit sym_int4 ${flags}`;
  return `docker run -d --name v --net=host ${options} -v /srv/models:/llm/models --entrypoint /bin/bash ${IMAGE} -c '${command}'`;
}

/** The state that docker reports once the container is no longer starting, and its log. */
async function settled({ sudo, machine }: BootedMachine): Promise<{ state: string; log: string }> {
  const container = machine.docker.containers.get("v");
  while (container?.status === "running" && !machine.listeners.has(8000)) await systemClock.sleep(2);
  await systemClock.sleep(5);
  const state = await sudo("docker inspect --format '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' v");
  return { state: state.stdout.trim(), log: (await sudo("docker logs v")).stdout };
}

describe("virtual docker", () => {
  it("serves a model that fits, and answers inside the host too", async () => {
    const host = await dockerHost();
    await host.sudo(serve(`--model ${LLAMA} --served-model-name llama --max-model-len 2048`));
    const { state, log } = await settled(host);
    expect(state).toBe("running 0 false");
    expect(log).toContain("INFO:     Application startup complete.");
    expect(log).toMatch(/simulated/);
    const answers = await host.sudo(
      "curl -s http://127.0.0.1:8000/v1/models; ss -H -ltnp 'sport = :8000'; docker exec v sycl-ls",
    );
    expect(answers.stdout).toContain('"id":"llama"');
    expect(answers.stdout).toContain('users:(("python",pid=');
    expect(answers.stdout.match(/level_zero:gpu/g)).toHaveLength(2);

    await host.sudo("docker stop v");
    expect((await settled(host)).state).toBe("exited 0 false");
    expect((await host.sudo("ss -H -ltn 'sport = :8000'; docker rm v; docker ps -aq")).stdout.trim()).toBe("v");
  });

  it.each([
    {
      name: "an unknown flag",
      flags: `--model ${LLAMA} --turbo`,
      state: "exited 2 false",
      log: "error: unrecognized arguments: --turbo",
    },
    {
      name: "a model that is not there",
      flags: "--model /llm/models/nope",
      state: "exited 1 false",
      log: "HFValidationError",
    },
    {
      name: "weights larger than a card",
      flags: `--model ${LLAMA} --load-in-low-bit fp16 --max-model-len 2048`,
      state: "exited 1 false",
      log: "torch.OutOfMemoryError: XPU out of memory",
    },
    {
      name: "a batch whose logits need a block over 4 GB",
      flags: `--model ${LLAMA} --max-model-len 100000 --max-num-batched-tokens 100000 --enable-chunked-prefill`,
      state: "exited 1 false",
      log: "Current platform can NOT allocate memory block with size larger than 4GB!",
    },
    {
      name: "more cards than there are",
      flags: `--model ${LLAMA} --max-model-len 2048 --tensor-parallel-size 4`,
      state: "exited 1 false",
      log: "exceeds the total number of available GPUs",
    },
    {
      name: "a batch smaller than the context",
      flags: `--model ${LLAMA} --max-model-len 8192 --max-num-batched-tokens 4000`,
      state: "exited 1 false",
      log: "max_num_batched_tokens (4000) is smaller than max_model_len (8192)",
    },
  ])("lets the server die of $name", async ({ flags, state, log }) => {
    const host = await dockerHost();
    await host.sudo(serve(flags));
    const end = await settled(host);
    expect(end.state).toBe(state);
    expect(end.log).toContain(log);
  });

  it("tells how long a context would fit when the cache is too small", async () => {
    const host = await dockerHost();
    await host.sudo(
      serve(`--model ${LLAMA} --max-model-len 120000 --max-num-batched-tokens 8192 --enable-chunked-prefill`),
    );
    expect((await settled(host)).log).toMatch(
      /max seq len \(120000\), \(14\.65 GiB KV cache is needed, .* estimated maximum model length is 6\d{4}\./,
    );
  });

  it("finds no card without the device, and one with a mask", async () => {
    const host = await dockerHost();
    await host.sudo(serve(`--model ${LLAMA} --max-model-len 2048`, ""));
    expect((await settled(host)).log).toContain("No XPU devices are available");
    await host.sudo("docker rm v");
    await host.sudo(serve(`--model ${LLAMA} --max-model-len 2048 -tp 2`, "--privileged -e ZE_AFFINITY_MASK=0"));
    expect((await settled(host)).log).toContain("exceeds the total number of available GPUs");
  });

  it("is killed for host memory when the limit is below the fp16 weights", async () => {
    const host = await dockerHost();
    await host.sudo(serve(`--model ${LLAMA} --max-model-len 2048`, "--privileged --memory 8g"));
    expect((await settled(host)).state).toBe("exited 137 true");
  });

  it("finds the port taken by another process on the host", async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
    const address = blocker.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const host = await dockerHost({ modelPort: port });
    await host.sudo(serve(`--model ${LLAMA} --max-model-len 2048`).replace("--port 8000", `--port ${port}`));
    await host.sudo("docker wait v");
    expect((await host.sudo("docker logs v")).stdout).toContain("address already in use");
    await new Promise((resolve) => blocker.close(resolve));
  });

  it("knows no image but those of its registry, and no name twice", async () => {
    const host = await dockerHost();
    expect(await host.sudo("docker pull example/none:1")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("manifest unknown"),
    });
    await host.sudo(`docker create --name v ${IMAGE}`);
    expect((await host.sudo(`docker create --name v ${IMAGE}`)).stderr).toContain("already in use by container");
    expect((await host.sudo("docker inspect nothing")).exitCode).toBe(1);
  });

  it("keeps a server alive under a unit, with its log in the journal, until the unit is stopped", async () => {
    const host = await dockerHost();
    await host.sudo(serve(`--model ${LLAMA} --max-model-len 2048`).replace("docker run -d", "docker create"));
    const unit = "[Service]\\nExecStart=/usr/bin/docker start --attach v\\nExecStop=/usr/bin/docker stop -t 5 v\\n";
    await host.sudo(
      `printf '${unit}' > /run/systemd/system/v.service; systemctl daemon-reload; systemctl start v.service`,
    );
    while (!host.machine.listeners.has(8000)) await systemClock.sleep(2);
    await systemClock.sleep(5);
    const running = await host.sudo("systemctl is-active v; journalctl -u v.service -o cat --no-pager");
    expect(running.stdout).toMatch(/^active\n/);
    expect(running.stdout).toContain("Application startup complete.");
    const stopped = await host.sudo(
      "systemctl stop v; systemctl is-active v; docker inspect --format '{{.State.Status}}' v",
    );
    expect(stopped.stdout).toBe("inactive\nexited\n");
  });

  it("loses its containers' processes with the power", async () => {
    const host = await dockerHost();
    await host.sudo(serve(`--model ${LLAMA} --max-model-len 2048`));
    await settled(host);
    await host.reboot();
    expect((await settled(host)).state).toMatch(/^exited/);
  });
});
