import { AppError } from "../core/app-error.ts";
import type { Workload } from "../inputs/run-config.ts";
import type { Files } from "../ports/files.ts";
import { parseConversationFile } from "../prompts/conversation-file.ts";
import { parsePromptFile } from "../prompts/prompt-file.ts";
import type { PromptSources } from "../prompts/prompt-maker.ts";
import { parseTraceFile, type TraceRow } from "../prompts/trace-file.ts";

/** A workload with what it takes from the disk of the machine that measures. */
export interface ReadyWorkload extends PromptSources {
  readonly workload: Workload;
}

/** Reads the files that a workload names. Throws INPUT_INVALID, with the line if there is one. */
export async function readWorkloadFiles(workload: Workload, files: Files): Promise<ReadyWorkload> {
  const { trace } = workload;
  const ready = { workload, ...(await promptSources(workload, files)) };
  if (trace === undefined) return ready;
  const rows = parseTraceFile(await textOf(trace.path, "the trace", files), trace.path, trace.unit);
  return { ...ready, traceRows: replayed(rows, workload) };
}

async function promptSources({ prompts, sessions }: Workload, files: Files): Promise<PromptSources> {
  if (prompts === undefined) return {};
  const text = await textOf(prompts.path, "prompts", files);
  const filePrompts = parsePromptFile(text, prompts.path);
  return sessions === undefined
    ? { filePrompts }
    : { filePrompts, conversations: parseConversationFile(text, prompts.path) };
}

function replayed(rows: readonly TraceRow[], { trace, requestsPerLevel, durationMs }: Workload): readonly TraceRow[] {
  const endMs = (durationMs ?? Number.POSITIVE_INFINITY) * (trace?.speed ?? 1);
  return rows.slice(0, requestsPerLevel).filter(({ atMs }) => atMs < endMs);
}

async function textOf(path: string, what: string, files: Files): Promise<string> {
  const text = await files.read(path).catch((cause: unknown) => {
    throw notReadable(path, what, "it cannot be read", cause);
  });
  if (text !== null) return text;
  throw notReadable(path, what, "there is no such file");
}

function notReadable(path: string, what: string, is: string, cause?: unknown): AppError {
  return new AppError("INPUT_INVALID", {
    message: `Cannot read ${what} from "${path}": ${is}, a file is wanted`,
    hint: "Name a file by its path from the working directory of this command",
    ...(cause === undefined ? {} : { cause }),
  });
}
