import { AppError } from "../core/app-error.ts";
import type { Workload } from "../inputs/run-config.ts";
import type { Files } from "../ports/files.ts";
import { type FilePrompt, parsePromptFile } from "../prompts/prompt-file.ts";

/** A workload with what it takes from the disk of the machine that measures. */
export interface ReadyWorkload {
  readonly workload: Workload;
  readonly filePrompts?: readonly FilePrompt[];
}

/** Reads the files that a workload names. Throws INPUT_INVALID, with the line if there is one. */
export async function readWorkloadFiles(workload: Workload, files: Files): Promise<ReadyWorkload> {
  const { prompts } = workload;
  if (prompts === undefined) return { workload };
  const text = await textOf(prompts.path, "prompts", files);
  return { workload, filePrompts: parsePromptFile(text, prompts.path) };
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
