import { createHash } from "node:crypto";
import type { Workload } from "../inputs/run-config.ts";
import type { FilePrompt } from "./prompt-file.ts";
import { draw, fitText, idPool } from "./prompt-pool.ts";
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
  /** True: the prompts are made one by one when they are looked at, and must not all be held. Absent: false. */
  readonly isLazy?: true;
  make(setName: string, count: number): readonly Prompt[];
  /** What identifies a set where `digestOf` would have to make all of it. */
  digest?(setName: string, count: number): string;
}

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
  const prefix = draw(pool, Math.min(shared, length), seededRandom(`${seed}/prefix`));
  return (setName: string, count: number): readonly (readonly T[])[] => {
    const next = seededRandom(`${seed}/${setName}`);
    return Array.from({ length: count }, () => [...prefix, ...draw(pool, length - prefix.length, next)]);
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
