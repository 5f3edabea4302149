import type { Secret } from "../core/secret.ts";
import type { ModelStream } from "../ports/model-stream.ts";

/** The model server's own tokenizer, as vLLM, ipex-llm and llama.cpp offer it at /tokenize; null: it has none. */
export interface ServerTokenizer {
  /** Ids of a text, without special tokens. */
  ids(text: string): Promise<readonly number[] | null>;
  /** Length of the whole prompt that a chat with this one user message becomes. */
  chatTokens(content: string): Promise<number | null>;
  /** True once the server has tokenized something. */
  isPresent(): boolean;
}

export interface ServerAddress {
  /** Without /v1 and without a slash at the end. */
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: Secret | null;
}

const TIMEOUT_MS = 10_000;

export function serverTokenizer(models: ModelStream, server: ServerAddress, signal: AbortSignal): ServerTokenizer {
  /** Set once the server has refused: it is not asked again. */
  let isMissing = false;
  let isPresent = false;

  async function tokenize(question: object): Promise<readonly number[] | null> {
    if (isMissing) return null;
    const answer = await models.ask(
      {
        method: "POST",
        url: `${server.baseUrl}/tokenize`,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: server.model, ...question }),
        ...(server.apiKey === null ? {} : { apiKey: server.apiKey }),
      },
      { timeoutMs: TIMEOUT_MS, signal },
    );
    const tokens = answer.status === 200 ? tokensOf(answer.body) : null;
    isMissing = tokens === null;
    isPresent ||= tokens !== null;
    return tokens;
  }

  return {
    ids: (text) => tokenize({ prompt: text, add_special_tokens: false }),
    async chatTokens(content) {
      const tokens = await tokenize({ messages: [{ role: "user", content }], add_generation_prompt: true });
      return tokens?.length ?? null;
    },
    isPresent: () => isPresent,
  };
}

function tokensOf(body: string): readonly number[] | null {
  try {
    const { tokens } = JSON.parse(body) as { tokens?: unknown };
    return Array.isArray(tokens) && tokens.every((token) => Number.isInteger(token)) ? tokens : null;
  } catch {
    return null;
  }
}
