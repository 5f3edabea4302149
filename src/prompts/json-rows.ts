import { AppError } from "../core/app-error.ts";

export type Json = Readonly<Record<string, unknown>>;

export interface JsonRow {
  readonly row: Json;
  /** Place for messages: path:line. */
  readonly at: string;
}

/** Makes the error about a place in a file: what is there, and what is wanted. */
export type Refuse = (at: string, is: string, wanted: string, cause?: unknown) => AppError;

/** "Cannot <action> "<place>": <is>, <wanted>". */
export function refusal(action: string, hint: string): Refuse {
  return (at, is, wanted, cause) =>
    new AppError("INPUT_INVALID", {
      message: `Cannot ${action} "${at}": ${is}, ${wanted}`,
      hint,
      ...(cause === undefined ? {} : { cause }),
    });
}

/** The objects of a JSONL file, or of one JSON list; never none. Throws what `refuse` makes. */
export function jsonRows(text: string, path: string, refuse: Refuse): readonly JsonRow[] {
  const rows = text.trimStart().startsWith("[") ? wholeList(text, path, refuse) : lines(text, path, refuse);
  if (rows.length === 0) throw refuse(path, "it holds nothing", "at least one entry is wanted");
  return rows.map(({ value, at }) => {
    if (isObject(value)) return { row: value, at };
    throw refuse(at, `it is ${JSON.stringify(value).slice(0, 40)}`, "an object is wanted");
  });
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface Row {
  readonly value: unknown;
  readonly at: string;
}

function lines(text: string, path: string, refuse: Refuse): Row[] {
  return text.split("\n").flatMap((line, index) => {
    const at = `${path}:${index + 1}`;
    if (line.trim() === "") return [];
    try {
      return [{ value: JSON.parse(line) as unknown, at }];
    } catch (cause) {
      throw refuse(at, "the line is not JSON", "one JSON object on each line is wanted", cause);
    }
  });
}

function wholeList(text: string, path: string, refuse: Refuse): Row[] {
  try {
    return (JSON.parse(text) as unknown[]).map((value, index) => ({ value, at: `${path}, entry ${index + 1}` }));
  } catch (cause) {
    throw refuse(path, "it is not JSON", "one JSON list, or one JSON object on each line, is wanted", cause);
  }
}
