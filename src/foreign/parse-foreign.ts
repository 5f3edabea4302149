import { z } from "zod";
import { AppError } from "../core/app-error.ts";
import { aiperf } from "./aiperf.ts";
import type { ForeignDialect, ForeignResult } from "./foreign-result.ts";
import { guidellm } from "./guidellm.ts";
import { inferencePerf } from "./inference-perf.ts";
import { isIpexLlmText, readIpexLlmText } from "./ipex-llm.ts";
import { sglang } from "./sglang.ts";
import { vllm } from "./vllm.ts";

const DIALECTS: readonly ForeignDialect[] = [guidellm, aiperf, inferencePerf, sglang, vllm];
const TOOLS = [...DIALECTS.map(({ tool }) => tool), "ipex-llm's vllm_online_benchmark.py"].join(", ");

/**
 * Reads a result file of another tool, told by what is in it; a file of several JSON lines holds several results.
 * Throws RECORD_INVALID when no tool is known that writes such a file, or when something is missing in it.
 */
export function parseForeign(text: string, path: string): readonly ForeignResult[] {
  const plain = text.replace(/^\ufeff/, "");
  const values = jsonValues(plain);
  if (values !== null) return values.map((value) => readValue(value, path));
  const read = isIpexLlmText(plain) ? readIpexLlmText(plain) : null;
  if (read === null) throw unknownFile(path, "neither JSON nor the output of vllm_online_benchmark.py");
  return [read];
}

function readValue(value: unknown, path: string): ForeignResult {
  const object =
    typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  const dialect = DIALECTS.find(({ recognizes }) => recognizes(object));
  if (dialect === undefined) throw unknownFile(path, whyNot(object));
  try {
    return dialect.read(value);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    throw new AppError("RECORD_INVALID", {
      message: `Cannot import "${path}": it looks like a result of ${dialect.tool}, but ${issue?.path.join(".")}: ${issue?.message}`,
      hint: "Give the file as the tool wrote it; if it did write this, its format has changed: please report that",
      cause: error,
    });
  }
}

function whyNot(value: Readonly<Record<string, unknown>>): string {
  if (value["schema"] === "arc-vllm/v1") return "it is a record of arc-vllm already";
  const keys = Object.keys(value).slice(0, 5);
  return keys.length === 0 ? "not a JSON object" : `JSON with ${keys.join(", ")}`;
}

function unknownFile(path: string, what: string): AppError {
  return new AppError("RECORD_INVALID", {
    message: `Cannot import "${path}": ${what.startsWith("it ") ? what : `it is ${what}`}, a result of ${TOOLS} is wanted`,
    hint: "Give the JSON result: --save-result of vllm bench serve, profile_export_aiperf.json, GuideLLM's json output, stage_N_lifecycle_metrics.json",
  });
}

/** The JSON value of a text, or those of its lines; null when it is neither. */
function jsonValues(text: string): readonly unknown[] | null {
  try {
    return [JSON.parse(text)];
  } catch {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    try {
      return lines.length === 0 ? null : lines.map((line) => JSON.parse(line) as unknown);
    } catch {
      return null;
    }
  }
}
