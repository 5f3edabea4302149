/**
 * The small part of Go templates that docker's `--format` is used with: `{{.A.B}}`, `{{json .A}}`, `{{index .A 0}}`,
 * `{{index .A "key"}}`, `{{len .A}}` and text around them. Null when a field does not exist.
 */
export function renderGoTemplate(template: string, data: unknown): string | null {
  let missing = false;
  const text = template.replace(/\{\{-?\s*(.*?)\s*-?\}\}/g, (_, expression: string) => {
    const value = evaluate(expression, data);
    if (value === undefined) missing = true;
    return shown(value);
  });
  return missing ? null : text.replaceAll("\\n", "\n").replaceAll("\\t", "\t");
}

function evaluate(expression: string, data: unknown): unknown {
  const call = /^(json|index|len|println)\s+(.*)$/.exec(expression);
  if (!call) return field(expression, data);
  const words = (call[2] as string).match(/"[^"]*"|\S+/g) ?? [];
  const target = field(words[0] ?? ".", data);
  switch (call[1]) {
    case "json":
      return target === undefined ? undefined : JSON.stringify(target);
    case "len":
      return Array.isArray(target) ? target.length : Object.keys((target as object) ?? {}).length;
    case "index": {
      const key = (words[1] ?? "").replace(/^"|"$/g, "");
      return (target as Record<string, unknown> | undefined)?.[key] ?? "";
    }
    default:
      return target;
  }
}

function field(path: string, data: unknown): unknown {
  const names = path.split(".").filter(Boolean);
  return names.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], data);
}

/** As Go prints values: lists in brackets, nothing for null. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return `[${value.map(shown).join(" ")}]`;
  if (typeof value === "object")
    return `map[${Object.entries(value)
      .map(([key, entry]) => `${key}:${shown(entry)}`)
      .join(" ")}]`;
  return String(value);
}
