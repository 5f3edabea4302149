import type { Path } from "./config-document.ts";
import { configJsonSchema } from "./config-schema.ts";

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
  readonly default?: unknown;
}

/** The keys that may stand at a path of the configuration, given what else stands there. */
export function knownKeys(path: Path, root: unknown): readonly string[] {
  let schemas: readonly JsonSchema[] = branches(configJsonSchema() as JsonSchema, root);
  let value = root;
  for (const step of path) {
    value = (value as Record<PropertyKey, unknown> | null | undefined)?.[step];
    schemas = schemas.flatMap((schema) => {
      const inner = typeof step === "number" ? schema.items : schema.properties?.[String(step)];
      return inner === undefined ? [] : branches(inner, value);
    });
  }
  return [...new Set(schemas.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

/** The alternatives of a schema that fit the value's discriminator; all of them when none does. */
function branches(schema: JsonSchema, value: unknown): readonly JsonSchema[] {
  const all = schema.oneOf ?? schema.anyOf;
  if (all === undefined) return [schema];
  const fitting = all.filter((branch) => fits(branch, value));
  return fitting.length > 0 ? fitting : all;
}

function fits(branch: JsonSchema, value: unknown): boolean {
  return Object.entries(branch.properties ?? {}).every(([key, property]) => {
    if (property.const === undefined) return true;
    return ((value as Record<string, unknown> | null)?.[key] ?? property.default) === property.const;
  });
}
