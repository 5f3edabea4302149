import type { ErrorCode } from "../core/app-error.ts";

/** What a server's log says about why it does not serve. */
export interface LogDiagnosis {
  readonly code: ErrorCode;
  /** The log line that shows it. */
  readonly evidence: string;
  readonly hint: string;
}

/** The most telling known failure in a server's log; null when the log has none. */
export function diagnoseLog(log: readonly string[]): LogDiagnosis | null {
  for (const { pattern, code, hint } of KNOWN_FAILURES) {
    const evidence = log.find((line) => pattern.test(line));
    if (evidence === undefined) continue;
    const match = pattern.exec(evidence) as RegExpExecArray;
    return { code, evidence: evidence.trim(), hint: hint.replace("$1", match[1] ?? "") };
  }
  return null;
}

interface KnownFailure {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  /** `$1` is the first group of the pattern. */
  readonly hint: string;
}

/** In ipex-llm's order of what costs least (vLLM_quickstart.md). */
const LOWER =
  'Lower "gpu-memory-utilization", then "max-num-batched-tokens", then "max-num-seqs"; or use a smaller "load-in-low-bit" or more cards';

/** The first match wins: causes come before what follows from them. */
const KNOWN_FAILURES: readonly KnownFailure[] = [
  {
    pattern: /address already in use/i,
    code: "PORT_IN_USE",
    hint: 'Stop the process that listens on the port, or set "serve.port" to a free one',
  },
  {
    pattern: /estimated maximum model length is (\d+)/,
    code: "SERVER_OUT_OF_MEMORY",
    hint: 'Set "max-model-len" to $1 or less, raise "gpu-memory-utilization", or use more cards',
  },
  {
    pattern: /max seq len \(\d+\).*is larger than the .*KV cache \((\d+)\)/,
    code: "SERVER_OUT_OF_MEMORY",
    hint: 'Set "max-model-len" to $1 or less, raise "gpu-memory-utilization", or use more cards',
  },
  {
    pattern: /larger than the available KV cache memory|No available memory for the cache blocks/,
    code: "SERVER_OUT_OF_MEMORY",
    hint: 'Lower "max-model-len" or "max-num-batched-tokens", raise "gpu-memory-utilization", or use more cards',
  },
  {
    // ipex-llm#11798.
    pattern: /can NOT allocate memory block with size larger than 4GB/,
    code: "SERVER_OUT_OF_MEMORY",
    hint: 'Lower "max-num-batched-tokens": one allocation on this card cannot be larger than 4 GB',
  },
  {
    pattern:
      /UR_RESULT_ERROR_OUT_OF_(?:DEVICE_MEMORY|RESOURCES)|(?:XPU|CUDA) out of memory|OutOfMemoryError|PI_ERROR_OUT_OF_RESOURCES/,
    code: "SERVER_OUT_OF_MEMORY",
    hint: LOWER,
  },
  {
    pattern: /UR_RESULT_ERROR_OUT_OF_HOST_MEMORY|can't allocate memory|Cannot allocate memory|^MemoryError\b/,
    code: "SERVER_OUT_OF_MEMORY",
    hint: "Free memory on the host or raise the container's limit: weights are loaded there before they are made smaller",
  },
  {
    // ipex-llm#13131, llm-scaler#424.
    pattern: /UR_RESULT_ERROR_DEVICE_LOST|GPU HANG/,
    code: "SERVER_EXITED",
    hint: "Look for GPU HANG in dmesg and reset the GPU or reboot; avoid eGPU and M.2 links, and try another image",
  },
  {
    // llm-scaler#398, #486, vllm#48953.
    pattern: /zeMemOpenIpcHandle|device_fd is invalid value/,
    code: "SERVER_EXITED",
    hint: 'Set "CCL_TOPO_P2P_ACCESS" to "0" in "serve.env": these cards cannot read each other\'s memory',
  },
  {
    // vllm-xpu-kernels#92.
    pattern: /Required aspect fp64 is not supported/,
    code: "SERVER_EXITED",
    hint: "Use the ipex-llm engine on A-series cards: this vLLM has no kernels for them",
  },
  {
    pattern: /unrecognized arguments: (.+)/,
    code: "SERVER_EXITED",
    hint: 'Remove $1 from "serve.flags": this version of the engine does not know it',
  },
  {
    pattern: /argument (--[\w-]+).*: (?:invalid|expected)/,
    code: "SERVER_EXITED",
    hint: 'Correct $1 in "serve.flags": this version of the engine refuses its value',
  },
  {
    pattern: /No module named '?ipex_llm|python: (?:command )?not found|exec: "?python"?:/,
    code: "ENGINE_MISSING",
    hint: 'Set "serve.image" to an ipex-llm serving image (intelanalytics/ipex-llm-serving-xpu)',
  },
  {
    pattern: /No module named '?vllm/,
    code: "ENGINE_MISSING",
    hint: "Install vLLM in the virtual environment, and do not start it inside vLLM's source folder",
  },
  {
    pattern: /No XPU devices? (?:are|is) available|No device of requested type available|Failed to infer device type/,
    code: "SERVER_EXITED",
    hint: "Run `arc-vllm check` on the host: the server sees no GPU",
  },
  {
    pattern: /(?:number of attention heads|vocab size).*must be divisible by/i,
    code: "SERVER_EXITED",
    hint: 'Set "tensor-parallel-size" to a number that divides the model\'s attention heads',
  },
  {
    pattern: /is smaller than max_model_len/,
    code: "SERVER_EXITED",
    hint: 'Raise "max-num-batched-tokens" to at least "max-model-len"',
  },
  {
    pattern: /User-specified max_model_len \(\d+\) is greater than the derived max_model_len \(\D*(\d+)/,
    code: "SERVER_EXITED",
    hint: 'Set "max-model-len" to $1 or less: the model supports no more',
  },
  {
    pattern: /does not appear to have a file named|Invalid repository ID or local directory/,
    code: "MODEL_NOT_FOUND",
    hint: 'Set "serve.model" to a complete Hugging Face model folder on the host',
  },
  {
    // Docker on a machine that has not all rights itself, such as a container or a restricted virtual machine.
    pattern: /unable to apply caps: operation not permitted/,
    code: "SERVER_EXITED",
    hint: 'Set "serve.privileged" to false: this host cannot give all rights to a container',
  },
  {
    // ipex-llm#11694, #12934; llm-scaler#684.
    pattern: /No available shared memory broadcast block found|shm_broadcast/,
    code: "SERVER_NOT_READY",
    hint: 'Raise "serve.shm-size-gib" to 16 or more, or set "CCL_ZE_CACHE_OPEN_IPC_HANDLES" to "0" in "serve.env"',
  },
];
