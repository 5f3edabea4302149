import { choice, type EngineDialect, type FlagRule, integer, json, number, text, toggle } from "./engine-dialect.ts";

/** Lengths that `vllm serve` reads: a plain number, or one with a suffix (1k = 1000, 1K = 1024). */
const length: FlagRule = {
  kind: "pattern",
  pattern: /^(?:[1-9]\d*|\d+(?:\.\d+)?[kKmMgG]|auto|-1)$/,
  wanted: "a number of tokens such as 8192 or 8k, or auto",
};

/**
 * `vllm serve` since 0.10. The flags people tune are type-checked; the set grows with every version, so others pass
 * with a warning. Source: vllm/engine/arg_utils.py and vllm/entrypoints/openai/cli_args.py.
 */
export const VLLM_DIALECT: EngineDialect = {
  title: "vllm",
  unknown: "warning",
  chunkedPrefillByDefault: true,
  defaults: {},
  refused: {
    device: "remove it: vllm 0.10 took it away and finds the device by itself",
    "load-in-low-bit": 'use "quantization" instead: only the ipex-llm engine has it',
  },
  flags: {
    dtype: choice("auto", "half", "float16", "bfloat16", "float", "float32"),
    quantization: text,
    "enforce-eager": toggle,
    "trust-remote-code": toggle,
    "gpu-memory-utilization": number(0.01, 1),
    "kv-cache-memory-bytes": {
      kind: "pattern",
      pattern: /^\d+(?:\.\d+)?[kKmMgG]?$/,
      wanted: "a number of bytes such as 268435456 or 256M",
    },
    "max-model-len": length,
    "max-num-batched-tokens": length,
    "max-num-seqs": integer(1),
    "block-size": choice("1", "8", "16", "32", "64", "128", "256"),
    "tensor-parallel-size": integer(1),
    "pipeline-parallel-size": integer(1),
    "data-parallel-size": integer(1),
    "distributed-executor-backend": text,
    "enable-prefix-caching": toggle,
    "enable-chunked-prefill": toggle,
    "async-scheduling": toggle,
    "scheduling-policy": choice("fcfs", "priority"),
    "cpu-offload-gb": number(0),
    "kv-cache-dtype": text,
    "attention-backend": text,
    seed: integer(0),
    "load-format": text,
    "hf-overrides": json,
    "compilation-config": json,
    "speculative-config": json,
    tokenizer: text,
    "tokenizer-mode": text,
    revision: text,
    "download-dir": text,
    "enable-lora": toggle,
    "max-loras": integer(1),
    "max-lora-rank": integer(1),
    "chat-template": text,
    "enable-auto-tool-choice": toggle,
    "tool-call-parser": text,
    "reasoning-parser": text,
    "generation-config": text,
    "disable-sliding-window": toggle,
    "enable-request-id-headers": toggle,
    "enable-server-load-tracking": toggle,
    "enable-per-request-metrics": toggle,
    "enable-prompt-tokens-details": toggle,
    "enable-log-requests": toggle,
    "disable-log-stats": toggle,
    "disable-uvicorn-access-log": toggle,
    "uvicorn-log-level": choice("debug", "info", "warning", "error", "critical", "trace"),
    "shutdown-timeout": integer(0),
  },
};
