import { AppError, type ErrorCode } from "../core/app-error.ts";

/** One error for any number of mistakes, one per line, so that a person corrects them in one go. */
export function inputProblems(
  what: string,
  problems: readonly string[],
  hint: string,
  code: ErrorCode = "INPUT_INVALID",
): AppError {
  const shown = problems.slice(0, MOST_SHOWN);
  const more = problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : [];
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = [...shown, ...more].map((line) => `\n  ${line}`).join("");
  return new AppError(code, { message: `Cannot use ${what}: ${count}${lines}`, hint });
}

const MOST_SHOWN = 50;
