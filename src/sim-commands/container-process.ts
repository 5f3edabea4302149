import type { Container } from "../sim-machine/docker-state.ts";
import { hostSpeedOf } from "../sim-machine/hardware.ts";
import { splitExecLine } from "../sim-machine/unit-file.ts";
import { nextPid, type VirtualMachine } from "../sim-machine/virtual-machine.ts";
import { startVllmProcess, type VirtualProcess } from "../sim-vllm/vllm-process.ts";

const SERVER_MODULE = "ipex_llm.vllm.xpu.entrypoints.openai.api_server";

/** Starts the container's process. `ended` of the container settles when it is over and recorded. */
export function startContainerProcess(machine: VirtualMachine, container: Container): void {
  const startedOnBoot = machine.boot?.id;
  container.status = "running";
  container.startedAt = machine.clock.isoNow();
  container.pid = nextPid(machine);
  const process = spawn(machine, container);
  container.process = process;
  const powerOff = () => process.terminate();
  machine.onPowerOff.add(powerOff);
  container.ended = process.ended.then(({ exitCode, oomKilled }) => {
    machine.onPowerOff.delete(powerOff);
    for (const [port, listener] of machine.listeners)
      if (listener.pid === container.pid) machine.listeners.delete(port);
    machine.work.delete(container.pid);
    // What the power took down did not exit by itself.
    const code = machine.boot?.id === startedOnBoot ? exitCode : 255;
    Object.assign(container, {
      status: "exited",
      exitCode: code,
      oomKilled,
      process: null,
      finishedAt: machine.clock.isoNow(),
    });
    container.pid = 0;
    if (container.removeAtEnd) machine.docker.containers.delete(container.name);
  });
}

function spawn(machine: VirtualMachine, container: Container): VirtualProcess {
  const log = (line: string) => {
    container.log.push(line);
    for (const listener of container.attached) listener(line);
  };
  const words = serverWords(container);
  if (words === null) {
    const [command = ""] = container.argv;
    const known = container.image.holds === "nothing" || /^(\/bin\/)?(bash|sh|true|echo)$/.test(command);
    if (container.image.holds === "nothing") log("Hello from Docker! (simulated)");
    return finished(known ? 0 : 127);
  }
  const { pid } = container;
  machine.docker.starts += 1;
  return startVllmProcess(words, {
    clock: machine.clock,
    pause: (virtualMs) => machine.pause(virtualMs),
    readFile: (path) => machine.disk.readText(onHost(container, path)),
    env: () => environment(machine, container),
    visibleGpus: visibleGpus(machine, container).length,
    memoryGib: container.memoryBytes === null ? null : container.memoryBytes / 2 ** 30,
    hostSpeed: () => hostSpeedOf(machine),
    slowdownPct: machine.slowdownPct,
    // Another seed for every start: no measurement repeats the last one to the digit.
    seed: machine.seed + machine.docker.starts,
    realPort: (port) => (machine.listeners.has(port) ? null : port === machine.modelPort ? port : 0),
    listening: (port, realPort) =>
      machine.listeners.set(port, { process: "python", pid, address: "0.0.0.0", realPort }),
    working: ({ tensorParallel, isBusy }) =>
      machine.work.set(pid, {
        cards: visibleGpus(machine, container).slice(0, tensorParallel),
        memoryMib: MEMORY_PER_CARD_MIB,
        isBusy,
      }),
    log,
  });
}

/** The words after the server module, however it is started; null: the container runs something else. */
function serverWords({ argv, env, image }: Container): readonly string[] | null {
  if (image.holds !== "vllm") return null;
  const at = argv.indexOf(SERVER_MODULE);
  if (at > 0) return argv.slice(at + 1);
  const script = argv.find((word) => word.includes(`${SERVER_MODULE} `));
  if (script !== undefined)
    return splitExecLine(script.slice(script.indexOf(SERVER_MODULE) + SERVER_MODULE.length), env);
  return argv.includes("/llm/start-vllm-service.sh") ? imageWords(env) : null;
}

/** What the image's own start script makes of its environment (ipex-llm, start-vllm-service.sh). */
function imageWords(env: Readonly<Record<string, string>>): string[] {
  const model = env["MODEL_PATH"] ?? "/llm/models/Llama-2-7b-chat-hf";
  return [
    ...["--served-model-name", env["SERVED_MODEL_NAME"] ?? "Llama-2-7b-chat-hf", "--port", env["PORT"] ?? "8000"],
    ...["--model", model, "--trust-remote-code", "--block-size", "8", "--gpu-memory-utilization", "0.95"],
    ...[
      "--device",
      "xpu",
      "--dtype",
      "float16",
      "--enforce-eager",
      "--load-in-low-bit",
      env["LOAD_IN_LOW_BIT"] ?? "fp8",
    ],
    ...[
      "--max-model-len",
      env["MAX_MODEL_LEN"] ?? "2000",
      "--max-num-batched-tokens",
      env["MAX_NUM_BATCHED_TOKENS"] ?? "3000",
    ],
    ...["--max-num-seqs", env["MAX_NUM_SEQS"] ?? "256", "--tensor-parallel-size", env["TENSOR_PARALLEL_SIZE"] ?? "1"],
  ];
}

/** A key in a mounted file reaches the server as its environment variable, as the start script reads it. */
async function environment(machine: VirtualMachine, container: Container): Promise<Record<string, string>> {
  const key = await machine.disk.readText(onHost(container, "/run/secrets/vllm-api-key"));
  return { ...container.env, ...(key === null ? {} : { VLLM_API_KEY: key.trim() }) };
}

/** The path on the host behind a path in the container. */
function onHost({ mounts }: Container, path: string): string {
  const mount = mounts.find(({ target }) => path === target || path.startsWith(`${target}/`));
  return mount ? `${mount.source}${path.slice(mount.target.length)}` : `/var/lib/docker/nowhere${path}`;
}

/** Positions of the cards that the container may use. */
function visibleGpus(machine: VirtualMachine, { devices, env }: Container): readonly number[] {
  const given = devices.some((device) => device.startsWith("/dev/dri"));
  if (!given || machine.boot?.driver == null) return [];
  const mask = env["ZE_AFFINITY_MASK"];
  const all = [...machine.hardware.gpus.keys()];
  if (mask === undefined || mask === "") return all;
  return mask.split(",").flatMap((index) => (Number(index) < all.length ? Number(index) : []));
}

/** vLLM takes its share of the memory at the start, whatever the model: 0.9 of 16288 MiB here. */
const MEMORY_PER_CARD_MIB = 14_659;

function finished(exitCode: number): VirtualProcess {
  return { ended: Promise.resolve({ exitCode, oomKilled: false }), terminate: () => undefined };
}
