import type { ModelShape } from "./model-shape.ts";

/**
 * How fast a virtual Arc host serves a model: a sum of what the CPU does per step (launching kernels), what the GPU
 * does (reading weights, or multiplying), and what two cards say to each other. Every constant names its source.
 */
export interface Serving {
  readonly model: ModelShape;
  /** Bytes per quantised weight. */
  readonly bytesPerParam: number;
  readonly tensorParallel: number;
  /** Makes decoding slower by this much, to show a regression. */
  readonly slowdownPct: number;
}

/** The state of the host that speed depends on, as the kernel would report it under load. */
export interface HostSpeed {
  readonly cpuMhz: number;
  readonly gpuMhz: number;
  readonly driver: "in-tree" | "dkms";
}

/** A770: 560 GB/s by specification, about 410 measured by xpu-smi's memory bandwidth test. */
export const MEMORY_GB_S = 410;
export const A770_MAX_MHZ = 2400;

/** A powersave governor rarely leaves its low clocks between two short kernels; see DRIVER_FACTOR for the calibration. */
export const POWERSAVE_CPU_MHZ = 1200;
/** Where a card with an open clock window settles at batch 1, where it idles between kernels. */
export const FREE_GPU_MHZ = 900;

/** At or above the clock that Intel pinned in ipex-llm#12190, launching no longer gets faster. */
const REFERENCE_CPU_MHZ = 3800;

/**
 * Host work per step on the in-tree driver of kernel 6.8, against the dkms build. Chosen with the two clocks above so
 * that an untouched host lands where users report: 14 to 16 tok/s on one card (ipex-llm#13110), single digits on two
 * (ipex-llm#12190). How the loss splits over the three causes is not published.
 */
const DRIVER_FACTOR = { "in-tree": 2.4, dkms: 1 } as const;

/**
 * The four below are solved from the published pair for Llama-3.1-8B sym_int4, one stream, 128 prompt tokens
 * (ipex-llm#12190): one card 100.48 ms to the first token, then 15.19 ms per token; two cards 69.22 and 21.78.
 */
const LAUNCH_MS_PER_LAYER = 0.164195;
const ALL_REDUCE_MS = 0.179092;
const EFFECTIVE_TFLOPS = 21.1563;
const REQUEST_MS = 4.2632;

/** Sampling, scheduling and detokenising one sequence on the CPU. */
const SEQUENCE_MS = 0.15;
const ALL_REDUCES_PER_LAYER = 2;
/** PCIe 4.0 x16 in practice. Long messages only: at one token the latency above is everything. */
const PCIE_GB_S = 25;

/** One decode step of a batch, in milliseconds: every sequence gets one token. */
export function decodeStepMs(
  serving: Serving,
  host: HostSpeed,
  batch: { readonly sequences: number; readonly contextTokens: number },
): number {
  const weights = (streamedBytes(serving) / (MEMORY_GB_S * 1e9)) * 1000;
  const cache = ((batch.contextTokens * cacheBytesPerToken(serving)) / (MEMORY_GB_S * 1e9)) * 1000;
  const gpu = Math.max(weights, multiplyMs(serving, batch.sequences)) + cache;
  const cpu = launchMs(serving) + allReduceMs(serving, batch.sequences) + batch.sequences * SEQUENCE_MS;
  return (gpu * gpuFactor(host) + cpu * hostFactor(host)) * (1 + serving.slowdownPct / 100);
}

/** One prefill step over `promptTokens` of `sequences` requests, in milliseconds, up to their first tokens. */
export function prefillStepMs(
  serving: Serving,
  host: HostSpeed,
  batch: { readonly sequences: number; readonly promptTokens: number },
): number {
  const weights = (streamedBytes(serving) / (MEMORY_GB_S * 1e9)) * 1000;
  const gpu = Math.max(weights, multiplyMs(serving, batch.promptTokens));
  const cpu = launchMs(serving) + allReduceMs(serving, batch.promptTokens) + batch.sequences * SEQUENCE_MS;
  return gpu * gpuFactor(host) + (cpu + REQUEST_MS) * hostFactor(host);
}

/** What one card reads per step: its share of all weights but the input table. */
function streamedBytes({ model, bytesPerParam, tensorParallel }: Serving): number {
  return ((model.params - model.embedParams) * bytesPerParam) / tensorParallel;
}

/** Keys and values of one token in fp16 on one card; heads are copied when there are fewer than cards. */
function cacheBytesPerToken({ model, tensorParallel }: Serving): number {
  return 2 * model.layers * Math.ceil(model.kvHeads / tensorParallel) * model.headDim * 2;
}

function multiplyMs({ model, tensorParallel }: Serving, tokens: number): number {
  return ((tokens * 2 * (model.params - model.embedParams)) / tensorParallel / (EFFECTIVE_TFLOPS * 1e12)) * 1000;
}

function launchMs({ model }: Serving): number {
  return model.layers * LAUNCH_MS_PER_LAYER;
}

/** Latency is paid per all-reduce; the volume of a ring is 2 (n - 1) / n of the message. */
function allReduceMs({ model, tensorParallel }: Serving, tokens: number): number {
  if (tensorParallel === 1) return 0;
  const bytes = tokens * model.hiddenSize * 2 * ((2 * (tensorParallel - 1)) / tensorParallel);
  return model.layers * ALL_REDUCES_PER_LAYER * (ALL_REDUCE_MS + (bytes / (PCIE_GB_S * 1e9)) * 1000);
}

function gpuFactor({ gpuMhz }: HostSpeed): number {
  return A770_MAX_MHZ / Math.max(1, gpuMhz);
}

function hostFactor({ cpuMhz, driver }: HostSpeed): number {
  return Math.max(1, REFERENCE_CPU_MHZ / Math.max(1, cpuMhz)) * DRIVER_FACTOR[driver];
}
