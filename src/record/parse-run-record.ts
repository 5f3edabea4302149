import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { AppError, type ErrorCode } from "../core/app-error.ts";
import type { RunRecord } from "./run-record.ts";
import { runRecordSchema } from "./run-record-schema.ts";

const SHOWN_PROBLEMS = 5;

/**
 * Reads a record from JSON text. Unknown fields are refused and nothing is filled in.
 * Throws RECORD_INVALID naming the file and the place in it.
 */
export function parseRunRecord(text: string, path: string): RunRecord {
  return parseAs("RECORD_INVALID", "record", text, path);
}

/** The same for a record that the user named as the baseline. Throws BASELINE_INVALID. */
export function parseBaseline(text: string, path: string): RunRecord {
  return parseAs("BASELINE_INVALID", "baseline", text, path);
}

/** Reads every record that can be read; the others become problems in words, so that one corrupt file costs one file. */
export function parseRunRecords(files: readonly { readonly path: string; readonly json: string }[]) {
  const records: RunRecord[] = [];
  const problems: string[] = [];
  for (const { path, json } of files) {
    try {
      records.push(parseRunRecord(json, path));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      problems.push(error.message);
    }
  }
  return { records, problems } as const;
}

function parseAs(code: ErrorCode, what: string, text: string, path: string): RunRecord {
  const refuse = (problem: string, hint: string, cause?: unknown) =>
    new AppError(code, { message: `Cannot read ${what} "${path}": ${problem}`, hint, cause });

  const value = parseJson(text, (problem, cause) =>
    refuse(problem, "Delete the file if the run that wrote it was killed; run the benchmark again", cause),
  );
  const schema = schemaOf(value);
  if (schema !== "arc-vllm/v1") {
    throw refuse(
      `its schema is ${schema === null ? "not given" : `"${schema}"`}, "arc-vllm/v1" is wanted`,
      'Give a record-*.json file that this version of arc-vllm wrote; "arc-vllm history import" reads other tools\' results',
    );
  }
  const parsed = runRecordSchema.safeParse(value);
  if (!parsed.success) {
    throw refuse(describeIssues(parsed.error), "Restore the file from the artifact of its run; do not edit records");
  }
  return parsed.data;
}

function parseJson(text: string, refuse: (problem: string, cause: unknown) => AppError): unknown {
  if (text.trim() === "") throw refuse("it is empty, a JSON object is wanted", undefined);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refuse(`it is not JSON (${placeOf(text)}), a JSON object is wanted`, cause);
  }
}

/** V8 names a position for some errors only, so the YAML parser, which reads all of JSON, finds the place. */
function placeOf(text: string): string {
  const lines = new LineCounter();
  const [error] = parseDocument(text, { schema: "json", lineCounter: lines, prettyErrors: false }).errors;
  const { line, col } = lines.linePos(error?.pos[0] ?? text.length);
  return `line ${line}, column ${col}`;
}

function schemaOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("schema" in value)) return null;
  return String(value.schema);
}

function describeIssues(error: z.ZodError): string {
  const shown = error.issues.slice(0, SHOWN_PROBLEMS).map((issue) => {
    const place = issue.path.map(String).join(".");
    return place === "" ? issue.message : `${place}: ${issue.message}`;
  });
  const more = error.issues.length - shown.length;
  return more > 0 ? `${shown.join("; ")}; and ${more} more` : shown.join("; ");
}
