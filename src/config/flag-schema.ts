import type { FlagRule } from "./engine-dialect.ts";
import { IPEX_LLM_DIALECT } from "./engine-dialect-ipex-llm.ts";
import { VLLM_DIALECT } from "./engine-dialect-vllm.ts";
import type { LaunchedEngine } from "./engine-flags.ts";

/** The flags of an engine as JSON Schema, so that editors complete them. `checkFlags` stays the judge. */
export function flagJsonSchema(engine: LaunchedEngine): Record<string, unknown> {
  const dialect = engine === "vllm" ? VLLM_DIALECT : IPEX_LLM_DIALECT;
  const properties = Object.fromEntries(
    Object.entries(dialect.flags).map(([flag, rule]) => [flag, valueSchema(rule)] as const),
  );
  // A flag that is not in the table may be one of a newer version: an editor must not call it wrong.
  return dialect.unknown === "error" ? { properties, additionalProperties: false } : { properties };
}

function valueSchema(rule: FlagRule): Record<string, unknown> {
  switch (rule.kind) {
    case "integer":
    case "number":
      return { type: rule.kind, minimum: rule.min, ...(rule.max !== undefined && { maximum: rule.max }) };
    case "choice":
      return { enum: rule.values };
    case "pattern":
      return { type: ["string", "number"], description: rule.wanted };
    case "json":
      return { type: "string", description: "A JSON object on one line." };
    case "text":
      return { type: ["string", "number"] };
    default:
      return { type: "boolean" };
  }
}
