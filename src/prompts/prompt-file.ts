import { AppError } from "../core/app-error.ts";

/** One prompt of a file, whichever tool the file was made for. */
export interface FilePrompt {
  readonly content:
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "messages"; readonly messages: readonly ChatMessage[] };
  /** How long the answer shall be; null: the file does not say. */
  readonly outputTokens: number | null;
  /** The answer that somebody once got (ShareGPT): its length is how long the answer shall be. */
  readonly answer: string | null;
}

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a prompt file: JSONL in the dialects of vLLM (`prompt`, `output_tokens`), AIPerf (`text`, `output_length`),
 * GuideLLM (`prompt`, `output_tokens_count`), fw-ai (`prompt` or `messages`, `max_tokens`) and OpenAI batches
 * (`body.messages`), or ShareGPT's `conversations` as JSONL or as one JSON list, of which the first question and its
 * answer are taken. Throws INPUT_INVALID with the line.
 */
export function parsePromptFile(text: string, path: string): readonly FilePrompt[] {
  const rows = text.trimStart().startsWith("[") ? wholeList(text, path) : lines(text, path);
  const prompts = rows.flatMap(({ value, at }) => promptOf(value, at));
  if (prompts.length === 0) throw invalid(path, "it holds no prompt", "at least one is wanted");
  return prompts;
}

interface Row {
  readonly value: unknown;
  /** Place for messages: path:line. */
  readonly at: string;
}

function lines(text: string, path: string): Row[] {
  return text.split("\n").flatMap((line, index) => {
    const at = `${path}:${index + 1}`;
    if (line.trim() === "") return [];
    try {
      return [{ value: JSON.parse(line) as unknown, at }];
    } catch (cause) {
      throw invalid(at, "the line is not JSON", "one JSON object on each line is wanted", cause);
    }
  });
}

function wholeList(text: string, path: string): Row[] {
  try {
    return (JSON.parse(text) as unknown[]).map((value, index) => ({ value, at: `${path}, entry ${index + 1}` }));
  } catch (cause) {
    throw invalid(path, "it is not JSON", "a list of ShareGPT conversations, or JSONL, is wanted", cause);
  }
}

/** Nothing for a conversation that no person begins: ShareGPT holds some. */
function promptOf(value: unknown, at: string): FilePrompt[] {
  const row = isObject(value) && isObject(value["body"]) ? value["body"] : value;
  if (!isObject(row)) throw invalid(at, `it is ${JSON.stringify(value)}`, "an object is wanted");
  if (Array.isArray(row["conversations"])) return conversation(row["conversations"]);
  const outputTokens = outputTokensOf(row, at);
  const messages = row["messages"];
  if (Array.isArray(messages) && messages.length > 0 && messages.every(isMessage)) {
    return [{ content: { kind: "messages", messages }, outputTokens, answer: null }];
  }
  const text = row["prompt"] ?? row["text"];
  if (typeof text === "string" && text !== "") return [{ content: { kind: "text", text }, outputTokens, answer: null }];
  throw invalid(
    at,
    `it has the keys ${Object.keys(row).join(", ")}`,
    '"prompt", "text", "messages" or "conversations" is wanted',
  );
}

function conversation(turns: readonly unknown[]): FilePrompt[] {
  const [question, answer] = turns;
  if (!isSaid(question) || (question.from !== "human" && question.from !== "user")) return [];
  const text = isSaid(answer) ? answer.value : null;
  return [{ content: { kind: "text", text: question.value }, outputTokens: null, answer: text }];
}

function isSaid(turn: unknown): turn is { readonly from: string; readonly value: string } {
  return (
    isObject(turn) && typeof turn["from"] === "string" && typeof turn["value"] === "string" && turn["value"] !== ""
  );
}

function outputTokensOf(row: Json, at: string): number | null {
  const value = ["output_tokens", "output_length", "output_tokens_count", "max_tokens"]
    .map((key) => row[key])
    .find(isGiven);
  if (value === undefined) return null;
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
  throw invalid(at, `its output length is ${JSON.stringify(value)}`, "a whole number above 0 is wanted");
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isMessage(value: unknown): value is ChatMessage {
  return isObject(value) && typeof value["role"] === "string" && typeof value["content"] === "string";
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(at: string, is: string, wanted: string, cause?: unknown): AppError {
  return new AppError("INPUT_INVALID", {
    message: `Cannot read prompts from "${at}": ${is}, ${wanted}`,
    hint: "Correct the file, or leave it out to use seeded prompts of an exact length",
    ...(cause === undefined ? {} : { cause }),
  });
}
