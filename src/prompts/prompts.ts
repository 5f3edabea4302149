import { createHash } from "node:crypto";
import type { Workload } from "../config/run-config.ts";
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
  /** How many different prompts there are; null: as many as are asked for. */
  readonly different: number | null;
  /** True: the prompts are made one by one when they are looked at, and must not all be held. Absent: false. */
  readonly isLazy?: true;
  make(setName: string, count: number): readonly Prompt[];
  /** What identifies a set where `digestOf` would have to make all of it. */
  digest?(setName: string, count: number): string;
}

/** What seeded prompts are made from; `inputTokens` is the length of each, the shared prefix included. */
export type SeededShape = Pick<
  Workload,
  "endpoint" | "outputTokens" | "lengthSpread" | "seed" | "sharedPrefixTokens"
> & {
  readonly inputTokens: number;
};

/**
 * Prepares prompts of exactly `inputTokens` tokens as the server counts them, or of lengths around that. Ids are taken
 * from what the server's own tokenizer gives for common words, so none is out of its vocabulary and none is a control
 * token.
 */
export async function preparePrompts(shape: SeededShape, tokenizer: ServerTokenizer): Promise<PromptMaker> {
  const { endpoint, inputTokens } = shape;
  if (endpoint === "/v1/completions") {
    const makeSet = promptSets(await idPool(tokenizer), inputTokens, shape);
    return {
      different: null,
      make: (...set) =>
        makeSet(...set).map(({ row, ...lengths }) => ({ ...lengths, input: { kind: "ids", ids: row } })),
    };
  }
  const { words, wordCount } = await fitText(inputTokens, tokenizer);
  // The first word is always the same one: without a space before it, each word may be cut in its own way.
  const makeSet = promptSets(words, wordCount - 1, shape);
  const textOf = (row: readonly string[]) => [words[0], ...row].join(" ");
  return {
    different: null,
    make: (...set) =>
      makeSet(...set).map(({ row, ...lengths }) => ({ ...lengths, input: { kind: "text", text: textOf(row) } })),
  };
}

/**
 * Rows of `length` random entries of the pool, or of that length changed as much as the spread allows. The first
 * `sharedPrefixTokens` of them are the same in every row of every set, and not part of the spread.
 */
function promptSets<T>(pool: readonly T[], length: number, shape: SeededShape) {
  const { seed, sharedPrefixTokens = 0, inputTokens, outputTokens, lengthSpread } = shape;
  const prefix = draw(pool, Math.min(sharedPrefixTokens, length), seededRandom(`${seed}/prefix`));
  return (setName: string, count: number): readonly { row: readonly T[]; outputTokens: number | null }[] => {
    const next = seededRandom(`${seed}/${setName}`);
    const spread = seededRandom(`${seed}/${setName}/lengths`);
    return Array.from({ length: count }, () => {
      const ownTokens = inputTokens - sharedPrefixTokens;
      const changed = lengthSpread === undefined ? 0 : around(ownTokens, lengthSpread, spread) - ownTokens;
      const own = Math.max(0, length + changed - prefix.length);
      return {
        row: [...prefix, ...draw(pool, own, next)],
        outputTokens: lengthSpread === undefined ? null : around(outputTokens, lengthSpread, spread),
      };
    });
  };
}

/** Uniform from N (1 - r) to N (1 + r), both included, at least 1: as vLLM's --random-range-ratio. */
function around(tokens: number, ratio: number, random: () => number): number {
  const [low, high] = [Math.max(1, Math.floor(tokens * (1 - ratio))), Math.ceil(tokens * (1 + ratio))];
  return low + Math.floor(random() * (high - low + 1));
}

/** SHA-256 over the prompts in order, with the lengths of the answers where each prompt has its own. */
export function digestOf(prompts: readonly Prompt[]): string {
  const hash = createHash("sha256");
  for (const { input, outputTokens } of prompts) {
    hash.update(JSON.stringify(outputTokens === null ? input : [input, outputTokens])).update("\n");
  }
  return hash.digest("hex");
}
