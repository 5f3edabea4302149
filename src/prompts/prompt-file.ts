import { isObject, type Json, jsonRows, refusal } from "./json-rows.ts";

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

export const refusePrompts = refusal(
  "read prompts from",
  "Correct the file, or leave it out to use seeded prompts of an exact length",
);

/**
 * Reads a prompt file: JSONL in the dialects of vLLM (`prompt`, `output_tokens`), AIPerf (`text`, `output_length`, or the
 * first of `turns`), GuideLLM (`prompt`, `output_tokens_count`), fw-ai (`prompt` or `messages`, `max_tokens`) and OpenAI
 * batches (`body.messages`), or ShareGPT's `conversations` as JSONL or as one JSON list, of which the first question and
 * its answer are taken. Throws INPUT_INVALID with the line.
 */
export function parsePromptFile(text: string, path: string): readonly FilePrompt[] {
  const prompts = jsonRows(text, path, refusePrompts).flatMap(({ row, at }) => promptOf(row, at));
  if (prompts.length === 0) throw refusePrompts(path, "it holds no prompt", "at least one is wanted");
  return prompts;
}

/** Nothing for a conversation that no person begins: ShareGPT holds some. */
function promptOf(whole: Json, at: string): FilePrompt[] {
  const row = isObject(whole["body"]) ? whole["body"] : whole;
  if (Array.isArray(row["conversations"])) return conversation(row["conversations"]);
  const turns = row["turns"];
  if (Array.isArray(turns) && isObject(turns[0])) return promptOf(turns[0], at);
  const outputTokens = outputTokensOf(row, at);
  const messages = row["messages"];
  if (Array.isArray(messages) && messages.length > 0 && messages.every(isMessage)) {
    return [{ content: { kind: "messages", messages }, outputTokens, answer: null }];
  }
  const text = textOf(row);
  if (text !== null) return [{ content: { kind: "text", text }, outputTokens, answer: null }];
  throw refusePrompts(
    at,
    `it has the keys ${Object.keys(row).join(", ")}`,
    '"prompt", "text", "messages", "conversations" or "turns" is wanted',
  );
}

/** Null: the row has no text of its own. */
export function textOf(row: Json): string | null {
  const text = row["prompt"] ?? row["text"];
  return typeof text === "string" && text !== "" ? text : null;
}

function conversation(turns: readonly unknown[]): FilePrompt[] {
  const [question, answer] = turns;
  if (!isSaid(question) || !isPerson(question.from)) return [];
  const text = isSaid(answer) ? answer.value : null;
  return [{ content: { kind: "text", text: question.value }, outputTokens: null, answer: text }];
}

/** A turn of a ShareGPT conversation. */
export function isSaid(turn: unknown): turn is { readonly from: string; readonly value: string } {
  return (
    isObject(turn) && typeof turn["from"] === "string" && typeof turn["value"] === "string" && turn["value"] !== ""
  );
}

export function isPerson(from: string): boolean {
  return from === "human" || from === "user";
}

/** Null: the row does not say. Throws when what it says is no length. */
export function outputTokensOf(row: Json, at: string): number | null {
  const value = ["output_tokens", "output_length", "output_tokens_count", "max_tokens"]
    .map((key) => row[key])
    .find((given) => given !== undefined && given !== null);
  if (value === undefined) return null;
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
  throw refusePrompts(at, `its output length is ${JSON.stringify(value)}`, "a whole number above 0 is wanted");
}

export function isMessage(value: unknown): value is ChatMessage {
  return isObject(value) && typeof value["role"] === "string" && typeof value["content"] === "string";
}
