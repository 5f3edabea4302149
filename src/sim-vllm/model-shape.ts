/** What the performance and memory models need to know of a model; read from its config.json. */
export interface ModelShape {
  readonly architecture: string;
  readonly layers: number;
  readonly hiddenSize: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly params: number;
  /** The input table, which stays in fp16 and of which a step reads one row only. */
  readonly embedParams: number;
}

/** Reads the shape from the text of a Hugging Face config.json of a Llama-like decoder; null when it is not one. */
export function readModelShape(configJson: string): ModelShape | null {
  const config = parseObject(configJson);
  const number = (key: string): number => (typeof config?.[key] === "number" ? config[key] : Number.NaN);

  const layers = number("num_hidden_layers");
  const hiddenSize = number("hidden_size");
  const heads = number("num_attention_heads");
  const vocabSize = number("vocab_size");
  const kvHeads = Number.isNaN(number("num_key_value_heads")) ? heads : number("num_key_value_heads");
  const headDim = Number.isNaN(number("head_dim")) ? hiddenSize / heads : number("head_dim");
  const embedParams = vocabSize * hiddenSize;
  const attention = 2 * hiddenSize * heads * headDim + 2 * hiddenSize * kvHeads * headDim;
  const mlp = 3 * hiddenSize * number("intermediate_size");
  const head = config?.["tie_word_embeddings"] === true ? 0 : embedParams;
  const params = embedParams + head + layers * (attention + mlp + 2 * hiddenSize) + hiddenSize;
  if (!Number.isFinite(params)) return null;

  return {
    architecture: firstString(config?.["architectures"]) ?? "LlamaForCausalLM",
    layers,
    hiddenSize,
    kvHeads,
    headDim,
    vocabSize,
    maxPositions: Number.isNaN(number("max_position_embeddings")) ? 8192 : number("max_position_embeddings"),
    params,
    embedParams,
  };
}

/** Bytes per quantised weight: the payload plus one fp16 scale per 64 weights (ipex-llm's low-bit formats). */
export function bytesPerParam(lowBit: string): number {
  if (/int4/.test(lowBit)) return 0.53125;
  if (/^fp6/.test(lowBit)) return 0.78125;
  if (/^fp8/.test(lowBit)) return 1.03125;
  return 2;
}

function parseObject(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function firstString(value: unknown): string | null {
  return Array.isArray(value) && typeof value[0] === "string" ? value[0] : null;
}
