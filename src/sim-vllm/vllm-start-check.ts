import { A770_TOTAL_GIB, fitMemory } from "./memory-model.ts";
import { bytesPerParam, type ModelShape } from "./model-shape.ts";
import type { EngineLimits } from "./vllm-engine.ts";
import type { VllmFlags } from "./vllm-flags.ts";

/** What a server can do, or the exception it dies of at start. */
export type StartCheck =
  | { readonly ok: true; readonly maxModelLen: number; readonly limits: EngineLimits; readonly weightsGib: number }
  | { readonly ok: false; readonly error: string };

/** The checks that vLLM 0.8.3 makes before it serves, in its order, with its words. */
export function checkStart(flags: VllmFlags, model: ModelShape | null, visibleGpus: number): StartCheck {
  if (model === null) return failed(missingModel(flags.model));
  const maxModelLen = flags.maxModelLen ?? model.maxPositions;
  const maxNumBatchedTokens = flags.maxNumBatchedTokens ?? (flags.chunkedPrefill ? 2048 : Math.max(maxModelLen, 2048));
  const problem =
    configProblem(flags, model, maxModelLen, maxNumBatchedTokens) ?? deviceProblem(flags, model, visibleGpus);
  if (problem !== null) return failed(problem);

  const memory = fitMemory({
    model,
    bytesPerParam: bytesPerParam(flags.lowBit),
    tensorParallel: flags.tensorParallel,
    gpuMemoryUtilization: flags.gpuMemoryUtilization,
    maxModelLen,
    maxNumBatchedTokens,
  });
  switch (memory.kind) {
    case "fits": {
      const limits = { maxNumSeqs: flags.maxNumSeqs, maxNumBatchedTokens, kvTokens: memory.kvTokens };
      return { ok: true, maxModelLen, limits, weightsGib: memory.weightsGib };
    }
    case "weights-do-not-fit":
      return failed(
        `torch.OutOfMemoryError: XPU out of memory. Tried to allocate 112.00 MiB. GPU 0 has a total capacity of ${A770_TOTAL_GIB} GiB. Of the allocated memory ${(A770_TOTAL_GIB - 0.1).toFixed(2)} GiB is allocated by PyTorch, and 52.11 MiB is reserved by PyTorch but unallocated.`,
      );
    case "block-over-4-gib":
      return failed("RuntimeError: Current platform can NOT allocate memory block with size larger than 4GB!");
    case "cache-too-small":
      return failed(cacheTooSmall(maxModelLen, memory));
  }
}

function configProblem(flags: VllmFlags, model: ModelShape, maxModelLen: number, batchedTokens: number): string | null {
  if (!/^(sym_int4|asym_int4|woq_int4|fp6|fp8|fp8_e4m3|fp8_e5m2|fp16)$/.test(flags.lowBit)) {
    return `ValueError: Unknown load_in_low_bit value: ${flags.lowBit}, expected: sym_int4, asym_int4, fp6, fp8, fp8_e4m3, fp8_e5m2 or fp16`;
  }
  if (maxModelLen > model.maxPositions) {
    return `ValueError: User-specified max_model_len (${maxModelLen}) is greater than the derived max_model_len (max_position_embeddings=${model.maxPositions} or model_max_length=None in model's config.json). This may lead to incorrect model outputs or CUDA errors. To allow overriding this maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1`;
  }
  if (batchedTokens < maxModelLen && !flags.chunkedPrefill) {
    return `ValueError: max_num_batched_tokens (${batchedTokens}) is smaller than max_model_len (${maxModelLen}). This effectively limits the maximum sequence length to max_num_batched_tokens and makes vLLM reject longer sequences. Please increase max_num_batched_tokens or decrease max_model_len.`;
  }
  if (batchedTokens < flags.maxNumSeqs) {
    return `ValueError: max_num_batched_tokens (${batchedTokens}) must be greater than or equal to max_num_seqs (${flags.maxNumSeqs}).`;
  }
  return null;
}

function deviceProblem(flags: VllmFlags, model: ModelShape, visibleGpus: number): string | null {
  if (flags.device !== "xpu") return `RuntimeError: Failed to infer device type (device=${flags.device})`;
  if (visibleGpus === 0) return "RuntimeError: No XPU devices are available.";
  const heads = model.hiddenSize / model.headDim;
  if (heads % flags.tensorParallel !== 0) {
    return `ValueError: Total number of attention heads (${heads}) must be divisible by tensor parallel size (${flags.tensorParallel}).`;
  }
  if (flags.tensorParallel * flags.pipelineParallel > visibleGpus) {
    return "ValueError: The number of required GPUs exceeds the total number of available GPUs in the placement group.";
  }
  return null;
}

/** A folder that is not there is taken for a repository name, which an absolute path cannot be. */
function missingModel(path: string): string {
  return path.startsWith("/")
    ? `huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '${path}'. Use \`repo_type\` argument if needed.`
    : `OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached files.\nCheck your internet connection: ${path}`;
}

function cacheTooSmall(
  maxModelLen: number,
  { neededGib, availableGib, maxLen }: { neededGib: number; availableGib: number; maxLen: number },
): string {
  const remedy = "Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.";
  if (maxLen === 0) {
    return "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.";
  }
  return `ValueError: To serve at least one request with the models's max seq len (${maxModelLen}), (${neededGib.toFixed(2)} GiB KV cache is needed, which is larger than the available KV cache memory (${availableGib.toFixed(2)} GiB). Based on the available memory, the estimated maximum model length is ${maxLen}. ${remedy}`;
}

function failed(error: string): StartCheck {
  return { ok: false, error };
}
