import { isObject, type Json, jsonRows } from "./json-rows.ts";
import { type FilePrompt, isMessage, isPerson, isSaid, outputTokensOf, refusePrompts, textOf } from "./prompt-file.ts";

/** A conversation of a file: what a person said, turn by turn. */
export interface Conversation {
  /** Said before the first turn; null: nothing. */
  readonly system: string | null;
  readonly turns: readonly ConversationTurn[];
}

export interface ConversationTurn extends Pick<FilePrompt, "outputTokens" | "answer"> {
  readonly text: string;
  /** How long the person thinks before this turn; null: the file does not say. */
  readonly thinkMs: number | null;
}

/**
 * Reads whole conversations: ShareGPT's `conversations`, AIPerf's sessions (`turns` with `text`, `delay` in ms,
 * `output_length`), `messages` of OpenAI, fw-ai or vLLM, and single prompts as conversations of one turn. Answers that
 * are in the file only say how long an answer shall be. Throws INPUT_INVALID with the line.
 */
export function parseConversationFile(text: string, path: string): readonly Conversation[] {
  const conversations = jsonRows(text, path, refusePrompts)
    .map(({ row, at }) => conversationOf(isObject(row["body"]) ? row["body"] : row, at))
    .filter(({ turns }) => turns.length > 0);
  if (conversations.length > 0) return conversations;
  throw refusePrompts(path, "it holds no conversation", "at least one is wanted");
}

function conversationOf(row: Json, at: string): Conversation {
  const { conversations, messages, turns } = row as { conversations?: unknown; messages?: unknown; turns?: unknown };
  if (Array.isArray(conversations)) {
    return ofSpeech(
      conversations.filter(isSaid).map(({ from, value }) => ({ role: from, content: value })),
      null,
    );
  }
  if (Array.isArray(messages) && messages.length > 0 && messages.every(isMessage)) {
    return ofSpeech(messages, outputTokensOf(row, at));
  }
  if (Array.isArray(turns)) return { system: null, turns: turns.map((turn) => turnOf(turn, at)) };
  return { system: null, turns: [turnOf(row, at)] };
}

/** Each thing a person says is a turn, and what follows it is the answer; a system message counts before the first. */
function ofSpeech(said: readonly { role: string; content: string }[], outputTokens: number | null): Conversation {
  const turns = said.flatMap(({ role, content }, index): ConversationTurn[] => {
    if (!isPerson(role)) return [];
    const next = said[index + 1];
    const answer = next === undefined || isPerson(next.role) ? null : next.content;
    return [{ text: content, outputTokens, answer, thinkMs: null }];
  });
  return { system: said.find(({ role }) => role === "system")?.content ?? null, turns };
}

function turnOf(turn: unknown, at: string): ConversationTurn {
  const text = isObject(turn) ? textOf(turn) : null;
  if (!isObject(turn) || text === null) {
    throw refusePrompts(at, `a turn is ${JSON.stringify(turn).slice(0, 40)}`, '"text" or "prompt" is wanted in each');
  }
  const delay = turn["delay"] ?? null;
  if (delay !== null && !(typeof delay === "number" && delay >= 0)) {
    throw refusePrompts(at, `its "delay" is ${JSON.stringify(delay)}`, "milliseconds from 0 are wanted");
  }
  return { text, outputTokens: outputTokensOf(turn, at), answer: null, thinkMs: delay };
}
