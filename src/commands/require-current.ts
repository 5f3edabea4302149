import { AppError } from "../core/app-error.ts";

/** The record that the Action's command "compare" judges. */
export function requireCurrent(path: string | undefined): string {
  if (path !== undefined) return path;
  throw new AppError("INPUT_INVALID", {
    message: 'Cannot compare: input "current" is not given, the record file to judge is wanted',
    hint: 'Set "current" to the record-….json of the run',
  });
}
