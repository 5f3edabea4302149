import type { OpenAiChunk } from "./openai-chunk.ts";

/** What the chunks of an answer say besides that they carry something. */
export interface ChunkDetails {
  readonly id: string | null;
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
  readonly finishReason: string | null;
  /** Tokens of each counted event when every chunk came with usage, else null. */
  readonly chunkTokens: readonly number[] | null;
}

/** Collects the details of one answer after the other. */
export function chunkDetails() {
  let id: string | null = null;
  let promptTokens: number | null = null;
  let outputTokens: number | null = null;
  let finishReason: string | null = null;
  let chunkTokens: number[] | null = [];

  /** Takes over the usage of a chunk and returns how many tokens it says are new; 0 when the chunk does not say. */
  function countTokens(chunk: OpenAiChunk): number {
    const before = outputTokens ?? 0;
    promptTokens = chunk.usage?.promptTokens ?? promptTokens;
    outputTokens = chunk.usage?.completionTokens ?? outputTokens;
    const says = chunk.carries !== null || chunk.finishReasons.length > 0;
    // Usage on the last chunk alone is the total of the whole answer, not of that chunk.
    if (says && chunk.usage === null) chunkTokens = null;
    if (chunkTokens !== null && chunk.usage !== null) return Math.max(0, (outputTokens ?? 0) - before);
    return chunk.tokenIds ?? 0;
  }

  return {
    /** Returns whether the chunk is a counted event. */
    read(chunk: OpenAiChunk): boolean {
      id ??= chunk.id;
      const tokens = countTokens(chunk);
      finishReason ??= chunk.finishReasons[0] ?? null;
      const isCounted = chunk.carries !== null || tokens > 0;
      if (isCounted) chunkTokens?.push(tokens);
      return isCounted;
    },
    /** A chunk that was not parsed has no usage: tokens are not counted chunk by chunk. */
    skip(): void {
      chunkTokens = null;
    },
    hasId: () => id !== null,
    found: (): ChunkDetails => ({ id, promptTokens, outputTokens, finishReason, chunkTokens }),
    reset(): void {
      id = null;
      promptTokens = null;
      outputTokens = null;
      finishReason = null;
      chunkTokens = [];
    },
  };
}
