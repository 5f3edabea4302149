import type { Workload } from "../config/run-config.ts";
import type { Conversation } from "./conversation-file.ts";
import { promptsOfFile } from "./file-prompts.ts";
import type { FilePrompt } from "./prompt-file.ts";
import { type PromptMaker, preparePrompts } from "./prompts.ts";
import type { ServerTokenizer } from "./server-tokenizer.ts";
import { type SessionMaker, seededSessions, sessionsOfFile } from "./session-maker.ts";
import type { TraceRow } from "./trace-file.ts";
import { promptsOfTrace } from "./trace-prompts.ts";

/** What a workload takes from files, read before anything is measured. */
export interface PromptSources {
  /** What is in the file of `workload.prompts`; absent: the workload has none. */
  readonly filePrompts?: readonly FilePrompt[];
  /** The same file as whole conversations, for a workload with sessions. */
  readonly conversations?: readonly Conversation[];
  /** What is in the file of `workload.trace`, as far as it is replayed; absent: the workload has none. */
  readonly traceRows?: readonly TraceRow[];
}

/** The prompts of a workload: of its file, of its trace, or seeded ones. */
export async function promptMaker(
  workload: Workload,
  { filePrompts, traceRows }: PromptSources,
  tokenizer: ServerTokenizer,
): Promise<PromptMaker> {
  const { inputTokens, prompts, trace, requestsPerLevel } = workload;
  if (trace !== undefined && traceRows !== undefined) {
    return promptsOfTrace(traceRows, { ...workload, blockTokens: trace.blockTokens }, tokenizer);
  }
  if (prompts !== undefined && filePrompts !== undefined) {
    // Shows whether the server has a tokenizer, as making seeded prompts does.
    await tokenizer.ids(PROBE);
    const count = requestsPerLevel + Math.max(...workload.concurrency);
    return promptsOfFile(filePrompts, { count, outputLengths: prompts.outputLengths }, tokenizer);
  }
  if (inputTokens === null) throw new Error(`The file of workload "${workload.name}" was not read`);
  return preparePrompts({ ...workload, inputTokens }, tokenizer);
}

/** What sessions say, after what `first` makes: their opening. Null when requests stand alone. */
export async function sessionMaker(
  workload: Workload,
  { conversations }: PromptSources,
  first: PromptMaker,
  tokenizer: ServerTokenizer,
): Promise<SessionMaker | null> {
  const { sessions, prompts } = workload;
  if (sessions === undefined) return null;
  if (prompts !== undefined && conversations !== undefined) {
    return sessionsOfFile(conversations, sessions, prompts.outputLengths, tokenizer);
  }
  const { turns, turnInputTokens } = sessions;
  if (turns === null || turnInputTokens === null) throw new Error("Seeded sessions say how long they are");
  return seededSessions(workload, { ...sessions, turns, turnInputTokens }, first, tokenizer);
}

const PROBE = "Hello";
