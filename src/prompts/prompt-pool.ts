import { PROMPT_WORDS } from "./prompt-words.ts";
import type { ServerTokenizer } from "./server-tokenizer.ts";

/** Ids below are control tokens or single bytes in common vocabularies, ids above may be out of a small vocabulary. */
const CONSERVATIVE_IDS = { from: 300, to: 3999 };
/** Fewer would make two prompts start alike, which a prefix cache would notice. */
const ENOUGH_IDS = 32;
const ENOUGH_WORDS = 16;
/** Words per token of English where nothing better is known. */
const WORDS_PER_TOKEN = 0.75;
const FIT_ATTEMPTS = 6;
const ASKED_WORDS = 64;
const AT_ONCE = 8;

/** Token ids that the server has for common words, or ids that every vocabulary has. */
export async function idPool(tokenizer: ServerTokenizer): Promise<readonly number[]> {
  const known = await tokenizer.ids(` ${PROMPT_WORDS.join(" ")}`);
  const distinct = [...new Set(known ?? [])];
  if (distinct.length >= ENOUGH_IDS) return distinct;
  const { from, to } = CONSERVATIVE_IDS;
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

export interface FittedText {
  readonly words: readonly string[];
  readonly wordCount: number;
  /** False: the server has no tokenizer, so the length is a guess. */
  readonly isExact: boolean;
}

/** How many of which words make a chat message whose whole prompt, template included, has the wanted length. */
export async function fitText(inputTokens: number, tokenizer: ServerTokenizer): Promise<FittedText> {
  const words = await singleTokenWords(tokenizer);
  let wordCount = Math.max(1, inputTokens);
  for (let attempt = 0; words !== null && attempt < FIT_ATTEMPTS; attempt += 1) {
    const sample = Array.from({ length: wordCount }, (_, at) => words[at % words.length]).join(" ");
    const tokens = await tokenizer.chatTokens(sample);
    if (tokens === null) break;
    if (tokens === inputTokens) return { words, wordCount, isExact: true };
    wordCount = Math.max(1, wordCount + inputTokens - tokens);
  }
  return { words: PROMPT_WORDS, wordCount: Math.max(1, Math.round(inputTokens * WORDS_PER_TOKEN)), isExact: false };
}

/**
 * The words that the server counts as one token each. Asked with eight copies of each word at once: that the first
 * word of a text may be cut otherwise then shows as a difference of one, not of eight.
 */
async function singleTokenWords(tokenizer: ServerTokenizer): Promise<readonly string[] | null> {
  const candidates = PROMPT_WORDS.slice(0, ASKED_WORDS);
  const single: string[] = [];
  for (let at = 0; at < candidates.length; at += AT_ONCE) {
    const group = candidates.slice(at, at + AT_ONCE);
    const known = await Promise.all(group.map((word) => tokenizer.ids(` ${word}`.repeat(8))));
    single.push(...group.filter((_, index) => known[index]?.length === 8));
  }
  return single.length >= ENOUGH_WORDS ? single : null;
}

/** `length` random entries of a pool. */
export function draw<T>(pool: readonly T[], length: number, next: () => number): T[] {
  return Array.from({ length }, () => pool[Math.floor(next() * pool.length)] as T);
}
