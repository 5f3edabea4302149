import { createHash } from "node:crypto";
import type { Workload } from "../config/run-config.ts";
import { draw, fitText, idPool } from "./prompt-pool.ts";
import type { Prompt, PromptInput, PromptMaker } from "./prompts.ts";
import { seededRandom } from "./seeded-random.ts";
import type { ServerTokenizer } from "./server-tokenizer.ts";
import type { TraceRow } from "./trace-file.ts";

/**
 * Prompts of a trace: a block of the trace is always the same tokens within a phase, so requests share what they shared
 * when the trace was taken; what no block covers is different everywhere. Each prompt is made when it is sent, since all
 * of a real trace do not fit into memory. On /v1/completions lengths are exact.
 */
export async function promptsOfTrace(
  rows: readonly TraceRow[],
  { endpoint, seed, blockTokens }: Pick<Workload, "endpoint" | "seed"> & { readonly blockTokens: number },
  tokenizer: ServerTokenizer,
): Promise<PromptMaker> {
  const write = endpoint === "/v1/completions" ? await writeIds(tokenizer) : await writeText(tokenizer);
  return {
    different: null,
    isLazy: true,
    make: (setName, count) =>
      rows.slice(0, count).map((row, index): Prompt => {
        const pieces = piecesOf(row, blockTokens, `${seed}/${setName}`, index);
        return {
          outputTokens: row.outputTokens,
          get input() {
            return write(pieces, row.inputTokens);
          },
        };
      }),
    digest: (setName, count) =>
      createHash("sha256")
        .update(JSON.stringify([seed, setName, blockTokens, rows.slice(0, count)]))
        .digest("hex"),
  };
}

/**
 * Share of the prompt tokens that repeat the beginning of an earlier prompt: what a prefix cache without limits could
 * answer.
 */
export function repeatedShare(rows: readonly TraceRow[], blockTokens: number): number {
  const seen = new Set<string>();
  let repeated = 0;
  let all = 0;
  for (const { inputTokens, blocks } of rows) {
    let chain = "";
    let known = 0;
    for (const block of blocks) {
      chain = createHash("sha1").update(`${chain}/${block}`).digest("base64");
      if (seen.has(chain)) known += blockTokens;
      seen.add(chain);
    }
    repeated += Math.min(known, inputTokens);
    all += inputTokens;
  }
  return all === 0 ? 0 : repeated / all;
}

/** A part of a prompt: the same seed gives the same tokens. */
interface Piece {
  readonly seed: string;
  readonly tokens: number;
}

function piecesOf({ inputTokens, blocks }: TraceRow, blockTokens: number, seed: string, index: number): Piece[] {
  const pieces: Piece[] = [];
  let left = inputTokens;
  for (const block of blocks) {
    const tokens = Math.min(blockTokens, left);
    if (tokens > 0) pieces.push({ seed: `${seed}/block/${block}`, tokens });
    left -= tokens;
  }
  return left > 0 ? [...pieces, { seed: `${seed}/rest/${index}`, tokens: left }] : pieces;
}

type Write = (pieces: readonly Piece[], inputTokens: number) => PromptInput;

async function writeIds(tokenizer: ServerTokenizer): Promise<Write> {
  const pool = await idPool(tokenizer);
  return (pieces) => ({
    kind: "ids",
    ids: pieces.flatMap(({ seed, tokens }) => draw(pool, tokens, seededRandom(seed))),
  });
}

const SAMPLE_TOKENS = 256;

/** The template of a chat takes its share of the length; without a tokenizer the length is a guess, as for seeded prompts. */
async function writeText(tokenizer: ServerTokenizer): Promise<Write> {
  const { words, wordCount, isExact } = await fitText(SAMPLE_TOKENS, tokenizer);
  const lengthOf = (inputTokens: number) =>
    Math.max(
      1,
      isExact ? inputTokens - (SAMPLE_TOKENS - wordCount) : Math.round((inputTokens * wordCount) / SAMPLE_TOKENS),
    );
  return (pieces, inputTokens) => {
    const all = pieces.flatMap(({ seed, tokens }) => draw(words, tokens, seededRandom(seed)));
    // The first word is always the same one: without a space before it, each word may be cut in its own way.
    return { kind: "text", text: [words[0], ...all.slice(1, lengthOf(inputTokens))].join(" ") };
  };
}
