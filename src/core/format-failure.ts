import { AppError } from "./app-error.ts";

/** The block printed at the end of a failed run: what happened, why, and what to do. */
export function formatFailure(error: unknown): string {
  if (!(error instanceof AppError)) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `Internal error: ${detail}\n  try: Report this with the whole text at the project's issue tracker`;
  }
  const because = error.cause instanceof Error ? `\n  because: ${error.cause.message}` : "";
  // A message may go on for lines (every mistake of a file, the end of a log): the code belongs to the first.
  const [what, ...more] = error.message.split("\n");
  const message = [`${what} [${error.code}]`, ...more].join("\n");
  return `${message}${because}\n  try: ${error.hint}`;
}
