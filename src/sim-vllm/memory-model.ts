import type { ModelShape } from "./model-shape.ts";

/** What a server asked for, as far as card memory depends on it. */
export interface MemoryRequest {
  readonly model: ModelShape;
  readonly bytesPerParam: number;
  readonly tensorParallel: number;
  readonly gpuMemoryUtilization: number;
  readonly maxModelLen: number;
  readonly maxNumBatchedTokens: number;
}

export type MemoryVerdict =
  | { readonly kind: "fits"; readonly weightsGib: number; readonly kvTokens: number }
  | { readonly kind: "weights-do-not-fit"; readonly weightsGib: number }
  | { readonly kind: "block-over-4-gib" }
  | {
      readonly kind: "cache-too-small";
      readonly neededGib: number;
      readonly availableGib: number;
      readonly maxLen: number;
    };

/** 0x3fa000000 bytes of local memory less the 5 % that compute-runtime keeps: what torch reports for an A770. */
export const A770_TOTAL_GIB = 15.11;

const GIB = 2 ** 30;
/** What vLLM's profile run finds for activations with a few thousand batched tokens. */
const ACTIVATIONS_GIB = 1;

/** Splits a card's memory into weights, activations and key-value cache the way vLLM does at start. */
export function fitMemory(request: MemoryRequest): MemoryVerdict {
  const { model, tensorParallel } = request;
  const quantised = (model.params - model.embedParams) * request.bytesPerParam;
  const weightsGib = (quantised + model.embedParams * 2) / tensorParallel / GIB;
  const kvBytesPerToken = 2 * model.layers * Math.ceil(model.kvHeads / tensorParallel) * model.headDim * 2;

  if (weightsGib > A770_TOTAL_GIB * 0.97) return { kind: "weights-do-not-fit", weightsGib };
  // ipex-llm#11798: one allocation may not exceed 4 GB on this platform; the logits of a profile run are the largest.
  if (request.maxNumBatchedTokens * model.vocabSize * 2 > 4 * GIB) return { kind: "block-over-4-gib" };

  const availableGib = A770_TOTAL_GIB * request.gpuMemoryUtilization - weightsGib - ACTIVATIONS_GIB;
  const kvTokens = Math.max(0, Math.floor((availableGib * GIB) / kvBytesPerToken));
  if (kvTokens >= request.maxModelLen) return { kind: "fits", weightsGib, kvTokens };
  return {
    kind: "cache-too-small",
    neededGib: (request.maxModelLen * kvBytesPerToken) / GIB,
    availableGib,
    maxLen: kvTokens,
  };
}
