import { type Json, jsonRows, refusal } from "./json-rows.ts";

/** One request of a trace. */
export interface TraceRow {
  /** Since the first request of the trace. */
  readonly atMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** One number for each block of the prompt; requests that begin with the same numbers begin with the same tokens. */
  readonly blocks: readonly number[];
}

/**
 * Reads a trace in Mooncake's format: JSONL with `timestamp`, `input_length`, `output_length` and, for prefixes that are
 * shared, `hash_ids`. Timestamps are milliseconds, in GuideLLM's traces seconds. Throws INPUT_INVALID with the line.
 */
export function parseTraceFile(text: string, path: string, unit: "ms" | "s"): readonly TraceRow[] {
  const inOrder = jsonRows(text, path, refuse)
    .map(({ row, at }) => rowOf(row, at))
    .toSorted((a, b) => a.atMs - b.atMs);
  const [startMs, unitMs] = [inOrder[0]?.atMs ?? 0, unit === "s" ? 1000 : 1];
  return inOrder.map((row) => ({ ...row, atMs: (row.atMs - startMs) * unitMs }));
}

const refuse = refusal(
  "read the trace from",
  "Give one request on each line, with timestamp, input_length, output_length and hash_ids",
);

function rowOf(row: Json, at: string): TraceRow {
  return {
    atMs: numberAt(row, "timestamp", at, (value) => value >= 0, "a number from 0"),
    inputTokens: numberAt(row, "input_length", at, isCount, "a whole number above 0"),
    outputTokens: numberAt(row, "output_length", at, isCount, "a whole number above 0"),
    blocks: blocksOf(row, at),
  };
}

function numberAt(row: Json, key: string, at: string, isRight: (value: number) => boolean, wanted: string): number {
  const value = row[key];
  if (typeof value === "number" && Number.isFinite(value) && isRight(value)) return value;
  const found = value === undefined ? "is missing" : `is ${JSON.stringify(value)}`;
  throw refuse(at, `its "${key}" ${found}`, `${wanted} is wanted`);
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}

function blocksOf(row: Json, at: string): readonly number[] {
  const blocks = row["hash_ids"] ?? [];
  if (Array.isArray(blocks) && blocks.every((block) => Number.isInteger(block))) return blocks as number[];
  throw refuse(at, `its "hash_ids" is ${JSON.stringify(blocks).slice(0, 40)}`, "a list of whole numbers is wanted");
}
