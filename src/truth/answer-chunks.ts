/** One event of an answer, before it is framed. */
export interface TokenChunk {
  readonly delta: Readonly<Record<string, unknown>>;
  readonly tokens: number;
}

/** What has to be known of a request to answer it. */
export interface Asked {
  readonly rid: string;
  readonly isChat: boolean;
  readonly wantsUsage: boolean;
  readonly promptTokens: number;
  readonly tokens: number;
}

/** What a request asks for. One token id, or in a chat a fixed number of tokens, makes the prompt. */
export function askedBy(body: Readonly<Record<string, unknown>>, url: string, rid: string, usualTokens: number): Asked {
  const options = body["stream_options"] as { include_usage?: boolean } | undefined;
  const prompt = body["prompt"];
  return {
    rid,
    isChat: url.endsWith("/chat/completions"),
    wantsUsage: options?.include_usage === true,
    promptTokens: Array.isArray(prompt) ? prompt.length : CHAT_PROMPT_TOKENS,
    tokens: Number(body["max_tokens"] ?? usualTokens),
  };
}

const CHAT_PROMPT_TOKENS = 11;

/** The words ` w0`, ` w1` and so on, one token each; the first `reasoning` of them as reasoning. */
export function tokenChunks({ tokens }: Asked, perChunk = 1, reasoning = 0): TokenChunk[] {
  const chunks: TokenChunk[] = [];
  for (let at = 0; at < tokens; at += perChunk) {
    const count = Math.min(perChunk, tokens - at);
    const text = Array.from({ length: count }, (_, more) => word(at + more)).join("");
    const field = at < reasoning ? "reasoning_content" : "content";
    chunks.push({ delta: { [field]: text }, tokens: count });
  }
  return chunks;
}

/** Characters of two, three and four bytes, and one that is made of two. */
export function utf8Chunks({ tokens }: Asked): TokenChunk[] {
  const characters = ["ä", "你", "🦊", "e\u0301"];
  return Array.from({ length: tokens }, (_, at) => ({ delta: { content: characters[at % 4] }, tokens: 1 }));
}

export function toolChunks({ tokens }: Asked): TokenChunk[] {
  return Array.from({ length: tokens }, (_, at) => ({
    delta: { tool_calls: [{ index: 0, function: { arguments: word(at) } }] },
    tokens: 1,
  }));
}

/** The data of one event in the words of OpenAI's API. */
export function chunkText(
  asked: Asked,
  delta: TokenChunk["delta"],
  finish: string | null = null,
  usageTokens: number | null = null,
): string {
  const said = asked.isChat ? { delta } : { text: delta["content"] ?? "" };
  const choices = [{ index: 0, ...said, finish_reason: finish }];
  return JSON.stringify({ ...base(asked), choices, ...(usageTokens === null ? {} : usageOf(asked, usageTokens)) });
}

/** The event without choices that carries the usage of the whole answer. */
export function usageText(asked: Asked, tokens: number): string {
  return JSON.stringify({ ...base(asked), choices: [], ...usageOf(asked, tokens) });
}

function word(at: number): string {
  return ` w${at}`;
}

function base({ rid }: Asked) {
  return { id: `cmpl-${rid}`, object: "chunk" };
}

function usageOf({ promptTokens }: Asked, tokens: number) {
  const total = promptTokens + tokens;
  return { usage: { prompt_tokens: promptTokens, completion_tokens: tokens, total_tokens: total } };
}
