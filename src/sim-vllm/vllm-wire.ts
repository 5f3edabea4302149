import type { GenerationKind } from "./vllm-request.ts";

/** Bodies exactly as vLLM 0.x writes them, field order included. */
export interface AnswerHead {
  readonly kind: GenerationKind;
  /** Already with its prefix, cmpl- or chatcmpl-. */
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export type FinishReason = "stop" | "length" | "abort" | null;

export interface TokenChunk {
  readonly index: number;
  readonly text: string;
  readonly finishReason: FinishReason;
  /** Null unless return_token_ids was asked for. */
  readonly tokenIds: readonly number[] | null;
  readonly promptTokenIds: readonly number[] | null;
  /** Null unless continuous_usage_stats was asked for. */
  readonly usage: Usage | null;
  /** On the last chunk of a stream without include_usage. */
  readonly withFingerprint: boolean;
}

export const FINGERPRINT = "vllm-0.8.3-simulated";

export const SSE_DONE = "data: [DONE]\n\n";

export function sseEvent(body: unknown): string {
  return `data: ${JSON.stringify(body)}\n\n`;
}

/** The chunk that opens a chat stream; it carries no token and comes together with the first one. */
export function roleChunk(
  head: AnswerHead,
  index: number,
  usage: Usage | null,
  promptTokenIds: readonly number[] | null,
): unknown {
  return {
    ...envelope(head, "chunk"),
    choices: [{ index, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null }],
    ...(usage === null ? {} : { usage: { ...usageBody(usage), completion_tokens_details: null } }),
    prompt_token_ids: promptTokenIds,
    prompt_text: null,
  };
}

export function tokenChunk(head: AnswerHead, chunk: TokenChunk): unknown {
  const { index, text, finishReason, tokenIds, promptTokenIds, usage } = chunk;
  const ended = { logprobs: null, finish_reason: finishReason, stop_reason: null };
  const choice =
    head.kind === "chat"
      ? { index, delta: { content: text }, ...ended, token_ids: tokenIds }
      : { index, text, ...ended, prompt_token_ids: promptTokenIds, token_ids: tokenIds };
  return {
    ...envelope(head, "chunk"),
    choices: [choice],
    ...(usage === null ? {} : { usage: usageBody(usage) }),
    ...(chunk.withFingerprint ? { system_fingerprint: FINGERPRINT } : {}),
  };
}

/** The last chunk of a stream with include_usage. */
export function usageChunk(head: AnswerHead, usage: Usage): unknown {
  return { ...envelope(head, "chunk"), choices: [], usage: usageBody(usage), system_fingerprint: FINGERPRINT };
}

/** A whole answer, for requests that do not stream. */
export function wholeAnswer(
  head: AnswerHead,
  choices: readonly { readonly text: string; readonly finishReason: FinishReason }[],
  usage: Usage,
): unknown {
  return {
    ...envelope(head, "whole"),
    choices: choices.map(({ text, finishReason }, index) =>
      head.kind === "chat"
        ? {
            index,
            message: {
              role: "assistant",
              content: text,
              refusal: null,
              function_call: null,
              tool_calls: [],
              reasoning: null,
            },
            logprobs: null,
            finish_reason: finishReason,
            stop_reason: null,
            token_ids: null,
          }
        : {
            index,
            text,
            logprobs: null,
            finish_reason: finishReason,
            stop_reason: null,
            token_ids: null,
            prompt_logprobs: null,
            prompt_token_ids: null,
          },
    ),
    system_fingerprint: FINGERPRINT,
    usage: { ...usageBody(usage), prompt_tokens_details: null },
  };
}

export function modelList(servedModelName: string, root: string, created: number, maxModelLen: number): unknown {
  const permission = {
    id: `modelperm-${created}`,
    object: "model_permission",
    created,
    allow_create_engine: false,
    allow_sampling: true,
    allow_logprobs: true,
    allow_search_indices: false,
    allow_view: true,
    allow_fine_tuning: false,
    organization: "*",
    group: null,
    is_blocking: false,
  };
  const model = { id: servedModelName, object: "model", created, owned_by: "vllm", root, parent: null };
  return { object: "list", data: [{ ...model, max_model_len: maxModelLen, permission: [permission] }] };
}

function envelope({ kind, id, created, model }: AnswerHead, part: "chunk" | "whole"): Record<string, unknown> {
  const object = kind === "chat" ? (part === "chunk" ? "chat.completion.chunk" : "chat.completion") : "text_completion";
  return { id, object, created, model };
}

function usageBody({ promptTokens, completionTokens }: Usage): Record<string, number> {
  return {
    prompt_tokens: promptTokens,
    total_tokens: promptTokens + completionTokens,
    completion_tokens: completionTokens,
  };
}
