import { createHash } from "node:crypto";
import type { Workload } from "../inputs/run-config.ts";
import { PROMPT_WORDS } from "./prompt-words.ts";
import { seededRandom } from "./seeded-random.ts";
import type { ServerTokenizer } from "./server-tokenizer.ts";

/** Token ids go to /v1/completions as they are, which makes their number exact; text is all that a chat takes. */
export type Prompt =
  | { readonly kind: "ids"; readonly ids: readonly number[] }
  | { readonly kind: "text"; readonly text: string };

/** Makes any number of prompts of one shape. The same name and seed give the same prompts; another name, all others. */
export interface PromptMaker {
  /** False when the server could not tell how long a prompt is: its usage will. */
  readonly isExact: boolean;
  make(setName: string, count: number): readonly Prompt[];
}

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

/**
 * Prepares prompts of exactly `inputTokens` tokens as the server counts them. Ids are taken from what the server's
 * own tokenizer gives for common words, so none is out of its vocabulary and none is a control token.
 */
export async function preparePrompts(workload: Workload, tokenizer: ServerTokenizer): Promise<PromptMaker> {
  const { endpoint, inputTokens, seed } = workload;
  const random = (setName: string) => seededRandom(`${seed}/${setName}`);
  if (endpoint === "/v1/completions") {
    const pool = await idPool(tokenizer);
    return {
      isExact: true,
      make: (setName, count) => repeat(count, random(setName), (next) => ids(pool, inputTokens, next)),
    };
  }
  const { words, wordCount, isExact } = await fitText(inputTokens, tokenizer);
  return {
    isExact,
    make: (setName, count) => repeat(count, random(setName), (next) => text(words, wordCount, next)),
  };
}

/** SHA-256 over the prompts in order. */
export function digestOf(prompts: readonly Prompt[]): string {
  const hash = createHash("sha256");
  for (const prompt of prompts) {
    hash.update(JSON.stringify(prompt.kind === "ids" ? prompt.ids : prompt.text)).update("\n");
  }
  return hash.digest("hex");
}

async function idPool(tokenizer: ServerTokenizer): Promise<readonly number[]> {
  const known = await tokenizer.ids(` ${PROMPT_WORDS.join(" ")}`);
  const distinct = [...new Set(known ?? [])];
  if (distinct.length >= ENOUGH_IDS) return distinct;
  const { from, to } = CONSERVATIVE_IDS;
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

/** How many of which words make a chat message whose whole prompt, template included, has the wanted length. */
async function fitText(inputTokens: number, tokenizer: ServerTokenizer) {
  const words = await singleTokenWords(tokenizer);
  let wordCount = Math.max(1, inputTokens);
  for (let attempt = 0; words !== null && attempt < FIT_ATTEMPTS; attempt += 1) {
    const sample = joined(words, wordCount, (at) => words[at % words.length] as string);
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

function repeat(count: number, next: () => number, makeOne: (next: () => number) => Prompt): Prompt[] {
  return Array.from({ length: count }, () => makeOne(next));
}

function ids(pool: readonly number[], length: number, next: () => number): Prompt {
  return { kind: "ids", ids: Array.from({ length }, () => pick(pool, next)) };
}

function text(words: readonly string[], length: number, next: () => number): Prompt {
  return { kind: "text", text: joined(words, length, () => pick(words, next)) };
}

/** The first word is always the same one: without a space before it, each word may be cut in its own way. */
function joined(words: readonly string[], length: number, wordAt: (at: number) => string): string {
  return Array.from({ length }, (_, at) => (at === 0 ? words[0] : wordAt(at))).join(" ");
}

function pick<T>(pool: readonly T[], next: () => number): T {
  return pool[Math.floor(next() * pool.length)] as T;
}
