import { type ModelShape, readModelShape } from "../../src/sim-vllm/model-shape.ts";
import type { HostSpeed, Serving } from "../../src/sim-vllm/performance-model.ts";

/** Meta-Llama-3.1-8B-Instruct, the fields of its config.json that matter here. */
export const LLAMA_3_8B = readModelShape(
  JSON.stringify({
    architectures: ["LlamaForCausalLM"],
    num_hidden_layers: 32,
    hidden_size: 4096,
    intermediate_size: 14336,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    vocab_size: 128256,
    max_position_embeddings: 131072,
  }),
) as ModelShape;

export const TUNED: HostSpeed = { cpuMhz: 4400, gpuMhz: 2400, driver: "dkms" };
export const UNTOUCHED: HostSpeed = { cpuMhz: 1200, gpuMhz: 900, driver: "in-tree" };

export function serving(over: Partial<Serving> = {}): Serving {
  return { model: LLAMA_3_8B, bytesPerParam: 0.53125, tensorParallel: 1, slowdownPct: 0, ...over };
}
