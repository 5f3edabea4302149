import type { TokenText } from "./token-text.ts";

export type GenerationKind = "completion" | "chat";

/** A checked body of /v1/completions or /v1/chat/completions. */
export interface GenerationRequest {
  readonly kind: GenerationKind;
  /** One entry per choice: several prompts and `n` give several choices. */
  readonly prompts: readonly (readonly number[])[];
  readonly maxTokens: number;
  readonly ignoreEos: boolean;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly continuousUsage: boolean;
  readonly returnTokenIds: boolean;
}

/** Thrown for a request that vLLM refuses, with the status and the `{"error": …}` that it would answer. */
export class RequestRefused extends Error {
  override readonly name = "RequestRefused";
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, message: string, type = "BadRequestError", param: string | null = null) {
    super(message);
    this.status = status;
    this.body = { error: { message, type, param, code: status } };
  }
}

export interface RequestContext {
  readonly servedModelName: string;
  readonly maxModelLen: number;
  readonly vocabSize: number;
  readonly tokens: TokenText;
}

/** Checks a body the way vLLM's serving layer does. Throws RequestRefused. */
export function parseGeneration(kind: GenerationKind, raw: string, context: RequestContext): GenerationRequest {
  const body = parseJsonObject(raw);
  checkModel(body, context);
  if (asObject(body["stream_options"]) && body["stream"] !== true) {
    throw new RequestRefused(400, "Stream options can only be defined when `stream=True`.");
  }
  const prompts = kind === "chat" ? [chatPrompt(body, context)] : completionPrompts(body, context);
  const streamOptions = asObject(body["stream_options"]);
  return {
    kind,
    prompts: prompts.flatMap((prompt) => Array.from({ length: Number(body["n"] ?? 1) }, () => prompt)),
    maxTokens: checkedMaxTokens(kind, body, Math.max(...prompts.map((prompt) => prompt.length)), context),
    ignoreEos: body["ignore_eos"] === true,
    stream: body["stream"] === true,
    includeUsage: streamOptions?.["include_usage"] === true,
    continuousUsage: streamOptions?.["continuous_usage_stats"] === true,
    returnTokenIds: body["return_token_ids"] === true,
  };
}

/** Text or token ids of POST /tokenize, with the chat template around `messages`. */
export function tokenizeBody(body: Record<string, unknown>, tokens: TokenText): readonly number[] {
  if (Array.isArray(body["messages"])) return renderChat(body["messages"], tokens);
  return tokens.encode(String(body["prompt"] ?? ""), { addSpecial: body["add_special_tokens"] !== false });
}

export function parseJsonObject(raw: string): Record<string, unknown> {
  const body = asObject(parseJson(raw));
  if (body !== null) return body;
  const message = `1 validation error:\n  {'type': 'json_invalid', 'loc': 'body.${raw.length}', 'msg': 'JSON decode error'}`;
  throw new RequestRefused(400, message, "Bad Request");
}

function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return null;
  }
}

function checkModel(body: Record<string, unknown>, context: RequestContext): void {
  const model = body["model"] ?? context.servedModelName;
  if (model === context.servedModelName) return;
  const message = `The model \`${model}\` does not exist. Valid aliases: ${context.servedModelName}.`;
  throw new RequestRefused(404, message, "NotFoundError", "model");
}

function completionPrompts(body: Record<string, unknown>, { tokens, vocabSize }: RequestContext): number[][] {
  const prompt = body["prompt"] ?? null;
  if (prompt === null) throw new RequestRefused(400, "Either prompt or prompt_embeds must be provided and non-empty.");
  const list = Array.isArray(prompt) && typeof prompt[0] !== "number" ? prompt : [prompt];
  const prompts = list.map((one) => (Array.isArray(one) ? (one as number[]) : tokens.encode(String(one))));
  const outside = prompts.flat().find((token) => !Number.isInteger(token) || token < 0 || token >= vocabSize);
  if (outside !== undefined) throw new RequestRefused(400, `Token id ${outside} is out of vocabulary`);
  return prompts;
}

function chatPrompt(body: Record<string, unknown>, { tokens }: RequestContext): number[] {
  const messages = body["messages"];
  if (Array.isArray(messages) && messages.length > 0) return renderChat(messages, tokens);
  const message = "Cannot apply chat template to an empty conversation. Provide at least one message.";
  throw new RequestRefused(400, message);
}

/** Llama-3's template: a header of four tokens and an end-of-turn token around each message, then an open header. */
function renderChat(messages: readonly unknown[], tokens: TokenText): number[] {
  const turn = (role: unknown) => tokens.encode(`start${role}end\n\n`, { addSpecial: false });
  const parts = messages.flatMap((message) => {
    const { role, content } = asObject(message) ?? {};
    return [...turn(role), ...tokens.encode(contentText(content), { addSpecial: false })];
  });
  return [...tokens.encode("", { addSpecial: true }), ...parts, ...turn("assistant")];
}

function contentText(content: unknown): string {
  if (!Array.isArray(content)) return String(content ?? "");
  return content.map((part) => String(asObject(part)?.["text"] ?? "")).join("");
}

/** The number of tokens to produce; a completion without max_tokens gets 16, a chat what is left of the context. */
function checkedMaxTokens(
  kind: GenerationKind,
  body: Record<string, unknown>,
  promptTokens: number,
  { maxModelLen }: RequestContext,
): number {
  const context = `This model's maximum context length is ${maxModelLen} tokens. However, `;
  if (promptTokens >= maxModelLen) {
    const message = `${context}your prompt contains ${promptTokens} input tokens, please reduce the length of the prompt.`;
    throw new RequestRefused(400, message, "BadRequestError", "input_tokens");
  }
  const asked = body["max_tokens"] ?? body["max_completion_tokens"] ?? null;
  if (asked === null) return kind === "chat" ? maxModelLen - promptTokens : 16;
  const wanted = Number(asked);
  if (!Number.isInteger(asked) || wanted < 1) {
    throw new RequestRefused(400, `max_tokens must be at least 1, got ${asked}.`);
  }
  if (wanted > maxModelLen) {
    throw new RequestRefused(400, `max_tokens=${asked} cannot be greater than max_model_len=${maxModelLen}.`);
  }
  if (promptTokens + wanted > maxModelLen) {
    const parts = `${promptTokens} in the prompt, ${asked} in the completion`;
    throw new RequestRefused(400, `${context}you requested ${promptTokens + wanted} tokens (${parts}).`);
  }
  return wanted;
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
