/** What the look-alike acts on; every other flag is checked and then left alone. */
export interface VllmFlags {
  readonly model: string;
  readonly servedModelName: string;
  readonly host: string;
  readonly port: number;
  readonly device: string;
  readonly lowBit: string;
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
  readonly maxModelLen: number | null;
  readonly maxNumBatchedTokens: number | null;
  readonly maxNumSeqs: number;
  readonly gpuMemoryUtilization: number;
  readonly chunkedPrefill: boolean;
  readonly requestIdHeaders: boolean;
  readonly apiKey: string | null;
}

/** Or what argparse prints before it exits with 2. */
export type ParsedFlags = { readonly flags: VllmFlags } | { readonly usage: string };

const text = { kind: "text" } as const;
const integer = { kind: "int" } as const;
const float = { kind: "float" } as const;
const onOff = { kind: "flag" } as const;
const choice = (...of: string[]) => ({ kind: "choice", of }) as const;
const optionalBoolean = { kind: "optional-boolean" } as const;

type FlagType = typeof text | typeof integer | typeof float | typeof onOff | typeof optionalBoolean | ChoiceType;
type ChoiceType = ReturnType<typeof choice>;

/** Flags of vLLM 0.8.3 (vllm/engine/arg_utils.py, vllm/entrypoints/openai/cli_args.py) and ipex-llm's own. */
const FLAGS: Readonly<Record<string, FlagType>> = {
  model: text,
  "served-model-name": text,
  host: text,
  port: integer,
  "api-key": text,
  device: choice("auto", "cuda", "neuron", "cpu", "tpu", "xpu", "hpu"),
  dtype: choice("auto", "half", "float16", "bfloat16", "float", "float32"),
  "load-in-low-bit": text,
  quantization: text,
  "tensor-parallel-size": integer,
  "pipeline-parallel-size": integer,
  "max-model-len": integer,
  "max-num-batched-tokens": integer,
  "max-num-seqs": integer,
  "gpu-memory-utilization": float,
  "block-size": choice("1", "8", "16", "32", "64", "128"),
  "distributed-executor-backend": choice("ray", "mp", "uni", "external_launcher"),
  "kv-cache-dtype": choice("auto", "fp8", "fp8_e5m2", "fp8_e4m3"),
  "swap-space": float,
  "cpu-offload-gb": float,
  seed: integer,
  "max-logprobs": integer,
  "num-gpu-blocks-override": integer,
  "max-seq-len-to-capture": integer,
  "num-scheduler-steps": integer,
  "max-num-partial-prefills": integer,
  "scheduling-policy": choice("fcfs", "priority"),
  "preemption-mode": text,
  "load-format": text,
  "config-format": choice("auto", "hf", "mistral"),
  "hf-overrides": text,
  "rope-scaling": text,
  "rope-theta": float,
  "generation-config": text,
  "override-generation-config": text,
  "limit-mm-per-prompt": text,
  "mm-processor-kwargs": text,
  "speculative-config": text,
  task: text,
  tokenizer: text,
  "tokenizer-mode": choice("auto", "slow", "mistral", "custom"),
  revision: text,
  "tokenizer-revision": text,
  "download-dir": text,
  "lora-modules": text,
  "max-loras": integer,
  "max-lora-rank": integer,
  "chat-template": text,
  "chat-template-content-format": choice("auto", "string", "openai"),
  "response-role": text,
  "tool-call-parser": text,
  "reasoning-parser": text,
  "guided-decoding-backend": text,
  "max-log-len": integer,
  "uvicorn-log-level": choice("debug", "info", "warning", "error", "critical", "trace"),
  "root-path": text,
  "trust-remote-code": onOff,
  "enforce-eager": onOff,
  "enable-prefix-caching": onOff,
  "no-enable-prefix-caching": onOff,
  "enable-chunked-prefill": optionalBoolean,
  "disable-async-output-proc": onOff,
  "disable-custom-all-reduce": onOff,
  "skip-tokenizer-init": onOff,
  "enable-lora": onOff,
  "enable-auto-tool-choice": onOff,
  "enable-reasoning": onOff,
  "return-tokens-as-token-ids": onOff,
  "disable-frontend-multiprocessing": onOff,
  "enable-request-id-headers": onOff,
  "enable-server-load-tracking": onOff,
  "disable-fastapi-docs": onOff,
  "disable-log-requests": onOff,
  "disable-log-stats": onOff,
  "disable-uvicorn-access-log": onOff,
};

const SHORT: Readonly<Record<string, string>> = {
  "-tp": "tensor-parallel-size",
  "-pp": "pipeline-parallel-size",
  "-q": "quantization",
};

/** Reads the words after the module name the way vLLM's argparse does, or says what it would print. */
export function parseVllmFlags(argv: readonly string[], env: Readonly<Record<string, string>>): ParsedFlags {
  const given = new Map<string, string>();
  const unrecognized: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] as string;
    const [head, inline] = splitInline(word);
    const name = resolveName(head);
    if (name === null) {
      unrecognized.push(word);
      continue;
    }
    const next = argv[at + 1];
    const taken = takeValue(name, inline, next);
    if ("problem" in taken) return { usage: usageError(taken.problem) };
    given.set(name, taken.value);
    if (taken.usedNext) at += 1;
  }
  if (unrecognized.length > 0) return { usage: usageError(`unrecognized arguments: ${unrecognized.join(" ")}`) };
  return { flags: toFlags(given, env) };
}

function toFlags(given: ReadonlyMap<string, string>, env: Readonly<Record<string, string>>): VllmFlags {
  const number = (name: string, fallback: number) => Number(given.get(name) ?? fallback);
  const optional = (name: string) => (given.has(name) ? Number(given.get(name)) : null);
  const model = given.get("model") ?? "facebook/opt-125m";
  return {
    model,
    servedModelName: given.get("served-model-name") ?? model,
    host: given.get("host") ?? "0.0.0.0",
    port: number("port", 8000),
    device: given.get("device") ?? "auto",
    lowBit: given.get("load-in-low-bit") ?? "sym_int4",
    tensorParallel: number("tensor-parallel-size", 1),
    pipelineParallel: number("pipeline-parallel-size", 1),
    maxModelLen: optional("max-model-len"),
    maxNumBatchedTokens: optional("max-num-batched-tokens"),
    maxNumSeqs: number("max-num-seqs", 256),
    gpuMemoryUtilization: number("gpu-memory-utilization", 0.9),
    chunkedPrefill: given.has("enable-chunked-prefill") && !/^false$/i.test(given.get("enable-chunked-prefill") ?? ""),
    requestIdHeaders: given.has("enable-request-id-headers"),
    apiKey: given.get("api-key") ?? env["VLLM_API_KEY"] ?? null,
  };
}

function splitInline(word: string): [string, string | null] {
  const equals = word.startsWith("--") ? word.indexOf("=") : -1;
  return equals < 0 ? [word, null] : [word.slice(0, equals), word.slice(equals + 1)];
}

/** A full name, one of the short ones, or a prefix that only one flag begins with (argparse's allow_abbrev). */
function resolveName(word: string): string | null {
  const short = SHORT[word];
  if (short) return short;
  if (!word.startsWith("--")) return null;
  const name = word.slice(2).replaceAll("_", "-");
  if (name in FLAGS) return name;
  const candidates = Object.keys(FLAGS).filter((flag) => flag.startsWith(name));
  return candidates.length === 1 && name.length > 1 ? (candidates[0] as string) : null;
}

type Taken = { readonly value: string; readonly usedNext: boolean } | { readonly problem: string };

function takeValue(name: string, inline: string | null, next: string | undefined): Taken {
  const type = FLAGS[name] as FlagType;
  if (type.kind === "flag") {
    return inline === null
      ? { value: "True", usedNext: false }
      : { problem: `argument --${name}: ignored explicit argument '${inline}'` };
  }
  const mayFollow = next !== undefined && !/^--?[a-z]/i.test(next);
  if (type.kind === "optional-boolean" && inline === null && !mayFollow) return { value: "True", usedNext: false };
  const value = inline ?? (mayFollow ? next : undefined);
  if (value === undefined) return { problem: `argument --${name}: expected one argument` };
  const problem = valueProblem(type, value);
  return problem === null
    ? { value, usedNext: inline === null }
    : { problem: `argument ${longAndShort(name)}: ${problem}` };
}

function valueProblem(type: FlagType, value: string): string | null {
  if (type.kind === "int" && !/^-?\d+$/.test(value)) return `invalid int value: '${value}'`;
  if (type.kind === "float" && !/^-?\d*\.?\d+(e-?\d+)?$/i.test(value)) return `invalid float value: '${value}'`;
  if (type.kind === "choice" && !type.of.includes(value)) {
    return `invalid choice: '${value}' (choose from ${type.of.map((option) => `'${option}'`).join(", ")})`;
  }
  return null;
}

function longAndShort(name: string): string {
  const short = Object.keys(SHORT).find((key) => SHORT[key] === name);
  return short ? `--${name}/${short}` : `--${name}`;
}

function usageError(problem: string): string {
  const shown = Object.keys(FLAGS)
    .slice(0, 4)
    .map((name) => `[--${name} ${name.toUpperCase().replaceAll("-", "_")}]`);
  return `usage: api_server.py [-h] ${shown.join(" ")} ...\napi_server.py: error: ${problem}`;
}
