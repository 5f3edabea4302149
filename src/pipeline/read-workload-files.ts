import type { Workload } from "../config/run-config.ts";
import { AppError } from "../core/app-error.ts";
import type { Files } from "../ports/files.ts";
import { parseConversationFile } from "../prompts/conversation-file.ts";
import { jsonHead } from "../prompts/json-head.ts";
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
  const text = await rowsOf(trace.path, "the trace", workload.requestsPerLevel, files);
  const rows = parseTraceFile(text, trace.path, trace.unit);
  return { ...ready, traceRows: replayed(rows, workload) };
}

/** Of ShareGPT's conversations about half are of a usual length; what is never sent need not be read. */
const ROWS_PER_REQUEST = 5;
const LEAST_ROWS = 1000;

async function promptSources(workload: Workload, files: Files): Promise<PromptSources> {
  const { prompts, sessions, requestsPerLevel, concurrency } = workload;
  if (prompts === undefined) return {};
  const limit = Math.max(LEAST_ROWS, ROWS_PER_REQUEST * (requestsPerLevel + Math.max(...concurrency)));
  const text = await rowsOf(prompts.path, "prompts", limit, files);
  const filePrompts = parsePromptFile(text, prompts.path);
  return sessions === undefined
    ? { filePrompts }
    : { filePrompts, conversations: parseConversationFile(text, prompts.path) };
}

function replayed(rows: readonly TraceRow[], { trace, requestsPerLevel, durationMs }: Workload): readonly TraceRow[] {
  const endMs = (durationMs ?? Number.POSITIVE_INFINITY) * (trace?.speed ?? 1);
  return rows.slice(0, requestsPerLevel).filter(({ atMs }) => atMs < endMs);
}

/** The first rows of a file. Throws INPUT_INVALID when it is not there or cannot be read. */
async function rowsOf(path: string, what: string, limit: number, files: Files): Promise<string> {
  try {
    const pieces = files.readPieces === undefined ? null : await files.readPieces(path);
    const text = pieces === null ? await files.read(path) : await jsonHead(pieces, limit);
    if (text !== null) return text;
  } catch (cause) {
    throw notReadable(path, what, "it cannot be read", cause);
  }
  throw notReadable(path, what, "there is no such file");
}

function notReadable(path: string, what: string, is: string, cause?: unknown): AppError {
  return new AppError("INPUT_INVALID", {
    message: `Cannot read ${what} from "${path}": ${is}, a file is wanted`,
    hint: "Name a file by its path from the working directory of this command",
    ...(cause === undefined ? {} : { cause }),
  });
}
