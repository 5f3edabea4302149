import { toArgv } from "../config/engine-flags.ts";
import type { IpexLlmServe } from "../config/run-config.ts";
import { envWords } from "./word-list.ts";

/** Where the server keeps what must not outlive it: its API key. Also the mark by which `stop` knows that it exists. */
export const SERVERS_FOLDER = "/var/lib/arc-vllm/servers";

/** The server's command line inside the container. */
export function ipexLlmArgv(serve: IpexLlmServe): string[] {
  return [
    ...["python", "-m", "ipex_llm.vllm.xpu.entrypoints.openai.api_server"],
    ...["--served-model-name", serve.servedModelName, "--port", String(serve.port), "--host", serve.bind],
    ...["--model", modelPathInside(serve.model), ...toArgv("ipex-llm", serve.flags)],
  ];
}

/**
 * The server's environment: what the image's own start script exports for A-series cards (ipex-llm,
 * docker/llm/serving/xpu/docker/start-vllm-service.sh), then the user's own values.
 */
export function ipexLlmEnv(serve: IpexLlmServe): Record<string, string> {
  const lowBit = serve.flags["load-in-low-bit"];
  const ranks = Number(serve.flags["tensor-parallel-size"] ?? 1);
  return {
    // DG2 lacks the XeTLA path that Data Center GPUs use.
    USE_XETLA: "OFF",
    TORCH_LLM_ALLREDUCE: "0",
    VLLM_USE_V1: "0",
    SYCL_CACHE_PERSISTENT: "1",
    SYCL_PI_LEVEL_ZERO_USE_IMMEDIATE_COMMANDLISTS: "2",
    FI_PROVIDER: "shm",
    // Ipex-llm's samples for four cards raise the number of oneCCL workers.
    CCL_WORKER_COUNT: ranks >= 4 ? "4" : "2",
    CCL_ATL_TRANSPORT: "ofi",
    CCL_ATL_SHM: "1",
    CCL_ZE_IPC_EXCHANGE: "sockets",
    CCL_SAME_STREAM: "1",
    CCL_BLOCKING_WAIT: "0",
    no_proxy: "localhost,127.0.0.1",
    // Read by mixture-of-experts models only.
    ...(lowBit === undefined ? {} : { IPEX_LLM_LOWBIT: String(lowBit) }),
    ...(serve.cards === null ? {} : { ZE_AFFINITY_MASK: serve.cards.join(",") }),
    ...serve.env,
  };
}

/** What of /dev/dri the host has: the device nodes, and the links that tell oneCCL which card sits where. */
export interface HostDevices {
  readonly nodes: boolean;
  readonly byPath: boolean;
}

/**
 * Words for `docker create`. Privileged with the host's network is the documented form for several A-series cards
 * (ipex-llm, vllm_docker_quickstart.md); without it the cards are handed over as llm-scaler's guide does for one card.
 * Models are mounted read-only, and docker restarts nothing behind our back.
 */
export function dockerCreateWords(serve: IpexLlmServe, devices: HostDevices): string[] {
  return [
    ...["--name", containerName(serve.port), "--label", `arc-vllm.port=${serve.port}`, "--restart", "no"],
    ...["--network", "host", "--shm-size", `${serve.shmSizeGib}g`, ...deviceWords(serve, devices)],
    ...(serve.memoryLimitGib === undefined ? [] : ["--memory", `${Math.round(serve.memoryLimitGib * 2 ** 30)}b`]),
    ...["--mount", bindMount(serve.model, modelPathInside(serve.model))],
    ...(serve.apiKey === null ? [] : ["--mount", bindMount(`${SERVERS_FOLDER}/${serve.port}/api-key`, API_KEY_FILE)]),
    ...envWords(ipexLlmEnv(serve)).flatMap((word) => ["--env", word]),
    ...["--entrypoint", "/bin/bash", serve.image, "-c", START_INSIDE, "arc-vllm", ...ipexLlmArgv(serve)],
  ];
}

function deviceWords(serve: IpexLlmServe, devices: HostDevices): string[] {
  const nodes = devices.nodes ? ["--device", "/dev/dri"] : [];
  if (serve.privileged ?? true) return ["--privileged", ...nodes];
  return devices.byPath ? [...nodes, "--mount", bindMount("/dev/dri/by-path", "/dev/dri/by-path")] : nodes;
}

export function containerName(port: number): string {
  return `arc-vllm-${port}`;
}

const API_KEY_FILE = "/run/secrets/vllm-api-key";

/**
 * Replaces the image's entry point, which knows only a few settings. The set-up file is sourced in a function so that
 * it does not take the server's flags for its own. The key comes from a file: `docker inspect` would show a variable.
 */
const START_INSIDE = [
  "prepare() { if [ -f /opt/intel/1ccl-wks/setvars.sh ]; then . /opt/intel/1ccl-wks/setvars.sh; fi; };",
  "prepare;",
  `if [ -f ${API_KEY_FILE} ]; then read -r VLLM_API_KEY < ${API_KEY_FILE}; export VLLM_API_KEY; fi;`,
  'exec "$@"',
].join(" ");

function modelPathInside(folder: string): string {
  return `/llm/models/${folder.replace(/\/+$/, "").split("/").at(-1)}`;
}

/** `--mount` is a line of CSV; unlike `--volume` it refuses a source that does not exist instead of creating it. */
function bindMount(source: string, target: string): string {
  return ["type=bind", `source=${source}`, `target=${target}`, "readonly"].map(csvField).join(",");
}

function csvField(field: string): string {
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
