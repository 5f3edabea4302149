import { AppError } from "../core/app-error.ts";
import type { FilePrompt } from "./prompt-file.ts";
import type { Prompt, PromptMaker } from "./prompts.ts";
import type { ServerTokenizer } from "./server-tokenizer.ts";

export interface FilePromptsWanted {
  /** How many different prompts are of use. */
  readonly count: number;
  /** "workload": every answer has the workload's length, whatever the file says. */
  readonly outputLengths: "file" | "workload";
}

/** vLLM's limits for a conversation of ShareGPT (vllm/benchmarks/datasets: is_valid_sequence), in tokens. */
const LEAST = 4;
const LONGEST_PROMPT = 1024;
const LONGEST_TOTAL = 2048;
const AT_ONCE = 4;

/**
 * Prompts of a file, in its order and over again when it is too short; a warm-up takes them from its end. The length
 * of an answer that is in the file is counted by the server's tokenizer, and conversations that `vllm bench serve`
 * leaves out for their length are left out. Without a tokenizer such answers get the workload's length. Throws INPUT_INVALID when none is left.
 */
export async function promptsOfFile(
  prompts: readonly FilePrompt[],
  wanted: FilePromptsWanted,
  tokenizer: ServerTokenizer,
): Promise<PromptMaker> {
  const made = await firstUsable(prompts, wanted, tokenizer);
  const backwards = made.toReversed();
  return {
    different: made.length,
    make(setName, count) {
      const source = setName.startsWith("measure") ? made : backwards;
      return Array.from({ length: count }, (_, at) => source[at % source.length] as Prompt);
    },
  };
}

async function firstUsable(
  prompts: readonly FilePrompt[],
  { count, outputLengths }: FilePromptsWanted,
  tokenizer: ServerTokenizer,
): Promise<readonly Prompt[]> {
  const made: Prompt[] = [];
  for (let at = 0; at < prompts.length && made.length < count; at += AT_ONCE) {
    const group = prompts.slice(at, at + AT_ONCE);
    const usable = await Promise.all(
      group.map((prompt) => (outputLengths === "workload" ? ofAnyLength(prompt) : ofOwnLength(prompt, tokenizer))),
    );
    made.push(...usable.filter((prompt) => prompt !== null));
  }
  if (made.length > 0) return made;
  throw new AppError("INPUT_INVALID", {
    message: `Cannot use the ${prompts.length} conversations of the prompt file: none has a prompt of ${LEAST} to ${LONGEST_PROMPT} tokens with an answer of at least ${LEAST} and ${LONGEST_TOTAL} together, one is wanted`,
    hint: "Give all answers the same length instead (prompts.output-lengths: workload, or --sharegpt-output-len)",
  });
}

function ofAnyLength({ content }: FilePrompt): Prompt {
  return { input: content, outputTokens: null };
}

/** Null for a conversation that is not of a usual length. */
async function ofOwnLength(prompt: FilePrompt, tokenizer: ServerTokenizer): Promise<Prompt | null> {
  const { content, outputTokens, answer } = prompt;
  if (answer === null || content.kind !== "text") return { input: content, outputTokens };
  const [promptTokens, answerTokens] = await Promise.all([tokenizer.ids(content.text), tokenizer.ids(answer)]);
  if (promptTokens === null || answerTokens === null) return ofAnyLength(prompt);
  const [input, output] = [promptTokens.length, answerTokens.length];
  const isUsual = Math.min(input, output) >= LEAST && input <= LONGEST_PROMPT && input + output <= LONGEST_TOTAL;
  return isUsual ? { input: content, outputTokens: output } : null;
}
