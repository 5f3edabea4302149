/** What one chunk of a streamed completion or chat completion says, whichever of the two it is. */
export interface OpenAiChunk {
  readonly id: string | null;
  /** Text a reader sees, reasoning, or neither (a role, a finish reason, usage). */
  readonly carries: "visible" | "reasoning" | null;
  /** Tokens that the server says are in this chunk (`token_ids`); null when it does not say. */
  readonly tokenIds: number | null;
  readonly finishReasons: readonly string[];
  readonly usage: ChunkUsage | null;
  /** The server's words when the chunk is an error. */
  readonly error: string | null;
}

export interface ChunkUsage {
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads one chunk. Null when the value is no chunk and no error at all.
 * `text`, `content`, `refusal` and tool calls are visible; `reasoning` (vLLM) and `reasoning_content` (vLLM before
 * 0.12, DeepSeek, SGLang) are reasoning. An empty string carries nothing, so a role-only first chunk is not a token.
 */
export function readOpenAiChunk(value: unknown): OpenAiChunk | null {
  if (!isObject(value)) return null;
  const error = errorOf(value);
  const choices = Array.isArray(value["choices"]) ? value["choices"].filter(isObject) : null;
  const usage = usageOf(value["usage"]);
  if (error === null && choices === null && usage === null) return null;
  return {
    id: typeof value["id"] === "string" ? value["id"] : null,
    carries: strongest((choices ?? []).map(carriedBy)),
    tokenIds: tokenIdsOf(choices ?? []),
    finishReasons: (choices ?? []).flatMap((choice) =>
      typeof choice["finish_reason"] === "string" ? [choice["finish_reason"]] : [],
    ),
    usage,
    error,
  };
}

function carriedBy(choice: Json): OpenAiChunk["carries"] {
  // A whole `message` in a chunk is what some proxies send last; it repeats the text and is not a token.
  const delta = isObject(choice["delta"]) ? choice["delta"] : {};
  if (isFull(choice["text"])) return "visible";
  if (["content", "refusal", "tool_calls", "function_call"].some((field) => isFull(delta[field]))) return "visible";
  return isFull(delta["reasoning"]) || isFull(delta["reasoning_content"]) ? "reasoning" : null;
}

function isFull(value: unknown): boolean {
  if (typeof value === "string" || Array.isArray(value)) return value.length > 0;
  return isObject(value);
}

function strongest(carried: readonly OpenAiChunk["carries"][]): OpenAiChunk["carries"] {
  if (carried.includes("visible")) return "visible";
  return carried.includes("reasoning") ? "reasoning" : null;
}

function tokenIdsOf(choices: readonly Json[]): number | null {
  const lists = choices.map((choice) => choice["token_ids"]).filter((ids) => Array.isArray(ids));
  return lists.length === 0 ? null : lists.reduce((sum, ids) => sum + ids.length, 0);
}

function usageOf(value: unknown): ChunkUsage | null {
  if (!isObject(value)) return null;
  return { promptTokens: count(value["prompt_tokens"]), completionTokens: count(value["completion_tokens"]) };
}

/** vLLM and OpenAI nest the error; SGLang and older vLLM send it flat with `object: "error"`. */
function errorOf(value: Json): string | null {
  const error = value["error"] ?? (value["object"] === "error" ? value : null);
  if (error === null || error === undefined) return null;
  if (typeof error === "string") return error;
  if (isObject(error) && typeof error["message"] === "string") return error["message"];
  return JSON.stringify(error);
}

/** The server's words in the body of a refused request; null when it is not an error object. */
export function errorMessageOf(body: string): string | null {
  try {
    const value: unknown = JSON.parse(body);
    if (!isObject(value)) return null;
    const detail = value["detail"];
    return (
      errorOf(value) ?? (detail === undefined ? null : typeof detail === "string" ? detail : JSON.stringify(detail))
    );
  } catch {
    return null;
  }
}

function count(value: unknown): number | null {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : null;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
