import type { Workload } from "../config/run-config.ts";
import type { Prompt, PromptInput } from "./prompts.ts";

export interface BodyOptions {
  readonly model: string;
  /** Ask for usage on every chunk: it costs the server a little and gives token-weighted gaps. */
  readonly usagePerChunk: boolean;
  /** Keeps vLLM from using what its prefix cache holds of other runs; null: the server may not know the field. */
  readonly cacheSalt: string | null;
}

type Shape = Pick<Workload, "endpoint" | "outputTokens" | "temperature" | "ignoreEos">;

/** The JSON body of one streamed request. Usage is always asked for: it is the only token count that is believed. */
export function requestBody(workload: Shape, prompt: Prompt, options: BodyOptions): string {
  return JSON.stringify({
    model: options.model,
    ...inputOf(workload.endpoint, prompt.input),
    max_tokens: prompt.outputTokens ?? workload.outputTokens,
    temperature: workload.temperature,
    stream: true,
    stream_options: { include_usage: true, ...(options.usagePerChunk ? { continuous_usage_stats: true } : {}) },
    ...(workload.ignoreEos ? { ignore_eos: true } : {}),
    ...(options.cacheSalt === null ? {} : { cache_salt: options.cacheSalt }),
  });
}

function inputOf(endpoint: Workload["endpoint"], input: PromptInput): object {
  if (endpoint === "/v1/completions") return { prompt: input.kind === "ids" ? input.ids : textOf(input) };
  return { messages: input.kind === "messages" ? input.messages : [{ role: "user", content: textOf(input) }] };
}

function textOf(input: PromptInput): string {
  if (input.kind === "messages") return input.messages.map(({ content }) => content).join("\n");
  return input.kind === "text" ? input.text : input.ids.join(" ");
}
