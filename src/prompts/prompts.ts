import { createHash } from "node:crypto";
import type { Workload } from "../inputs/run-config.ts";
import type { FilePrompt } from "./prompt-file.ts";
import { PROMPT_WORDS } from "./prompt-words.ts";
import { seededRandom } from "./seeded-random.ts";
import type { ServerTokenizer } from "./server-tokenizer.ts";

/** Token ids go to /v1/completions as they are, which makes their number exact; text is all that a chat takes. */
export type PromptInput = { readonly kind: "ids"; readonly ids: readonly number[] } | FilePrompt["content"];

export interface Prompt {
  readonly input: PromptInput;
  /** Length of the answer that a prompt file wants; null: the workload's. */
  readonly outputTokens: number | null;
}

/** Makes any number of prompts of one shape. The same name and seed give the same prompts; another name, all others. */
export interface PromptMaker {
  /** Length of every prompt in tokens; null: each has its own, or the server's usage has to tell. */
  readonly promptTokens: number | null;
  /** How many different prompts there are; null: as many as are asked for. */
  readonly different: number | null;
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

/** What seeded prompts are made from; `inputTokens` is the length of each, the shared prefix included. */
export type SeededShape = Pick<Workload, "endpoint" | "seed" | "sharedPrefixTokens"> & { readonly inputTokens: number };

/**
 * Prepares prompts of exactly `inputTokens` tokens as the server counts them. Ids are taken from what the server's
 * own tokenizer gives for common words, so none is out of its vocabulary and none is a control token.
 */
export async function preparePrompts(shape: SeededShape, tokenizer: ServerTokenizer): Promise<PromptMaker> {
  const { endpoint, inputTokens, seed, sharedPrefixTokens = 0 } = shape;
  if (endpoint === "/v1/completions") {
    const pool = await idPool(tokenizer);
    const makeSet = promptSets(pool, inputTokens, sharedPrefixTokens, seed);
    return {
      promptTokens: inputTokens,
      different: null,
      make: (...set) => makeSet(...set).map((ids) => synthetic({ kind: "ids", ids })),
    };
  }
  const { words, wordCount, isExact } = await fitText(inputTokens, tokenizer);
  // The first word is always the same one: without a space before it, each word may be cut in its own way.
  const makeSet = promptSets(words, wordCount - 1, sharedPrefixTokens, seed);
  return {
    promptTokens: isExact ? inputTokens : null,
    different: null,
    make: (...set) => makeSet(...set).map((rest) => synthetic({ kind: "text", text: [words[0], ...rest].join(" ") })),
  };
}

/** Rows of `length` random entries of the pool. The first `shared` of them are the same in every row of every set. */
function promptSets<T>(pool: readonly T[], length: number, shared: number, seed: number) {
  const prefix = row(pool, Math.min(shared, length), seededRandom(`${seed}/prefix`));
  return (setName: string, count: number): readonly (readonly T[])[] => {
    const next = seededRandom(`${seed}/${setName}`);
    return Array.from({ length: count }, () => [...prefix, ...row(pool, length - prefix.length, next)]);
  };
}

function synthetic(input: PromptInput): Prompt {
  return { input, outputTokens: null };
}

/** SHA-256 over the prompts in order, with the lengths of the answers where each prompt has its own. */
export function digestOf(prompts: readonly Prompt[]): string {
  const hash = createHash("sha256");
  for (const { input, outputTokens } of prompts) {
    hash.update(JSON.stringify(outputTokens === null ? input : [input, outputTokens])).update("\n");
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

function row<T>(pool: readonly T[], length: number, next: () => number): T[] {
  return Array.from({ length }, () => pool[Math.floor(next() * pool.length)] as T);
}
