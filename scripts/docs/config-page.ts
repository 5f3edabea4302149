import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { code, GENERATED, table } from "./markdown.ts";

interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

export function configPage(root: object): string {
  const schema = root as Schema;
  const sections = Object.entries(schema.properties ?? {}).map(([name, section]) => sectionText(name, section));
  const example = readFileSync(join(resolve(import.meta.dirname, "../.."), "examples/arc-vllm.yml"), "utf8");
  return `${GENERATED}

# arc-vllm.yml

One file says which hosts, which model server, what is measured and when a run fails. It is checked as a whole before any
host is touched; every mistake is reported at once, with file, line and column. Unknown keys are mistakes.

Editors with YAML support complete and check the file with this first line, which names
[schema/arc-vllm.schema.json](../schema/arc-vllm.schema.json) by path or URL:

\`\`\`yaml
# yaml-language-server: $schema=../schema/arc-vllm.schema.json
\`\`\`

Conventions:

- A time is text with a unit (\`500ms\`, \`90s\`, \`10m\`, \`2h\`) or a plain number of seconds.
- A percentage is a plain number: \`delta-pct: 3\` means 3 %.
- Paths of models and environments are absolute paths on the host. Paths of baselines, history and reports are on the
  machine that runs arc-vllm, relative to its working directory.
- Secrets never stand in the file. A key that ends in \`-env\` names an environment variable. Text that looks like a
  private key or a token is refused. GitHub's \`$\{{ … }}\` is not expanded here.

## Example

\`\`\`yaml
${example.trim()}
\`\`\`

## Sections

${table(
  ["Key", "Default", "Description"],
  Object.entries(schema.properties ?? {}).map(([name, section]) => row(name, section, schema)),
)}

${sections.filter((text) => text !== "").join("\n\n")}
`;
}

/** A heading and a table for each map in a section; nothing for a section that is a single value. */
function sectionText(path: string, schema: Schema): string {
  const entry = schema.items ?? schema;
  const list = schema.items === undefined ? "" : "[]";
  const variants = (entry.oneOf ?? entry.anyOf ?? [entry]).filter(({ properties }) => properties !== undefined);
  return variants.map((variant) => mapText(`${path}${list}`, variant, variants.length > 1)).join("\n\n");
}

function mapText(path: string, schema: Schema, isVariant: boolean): string {
  const properties = Object.entries(schema.properties ?? {});
  const kind = isVariant ? properties.find(([, property]) => property.const !== undefined) : undefined;
  const heading =
    kind === undefined ? `### ${code(path)}` : `### ${code(path)} with ${code(`${kind[0]}: ${kind[1].const}`)}`;
  const rows = properties.map(([name, property]) => fullRow(name, property, schema));
  const inner = properties
    .map(([name, property]) => innerText(`${path}.${name}`, property))
    .filter((text) => text !== "");
  const about = kind?.[1].description ?? "";
  return [heading, about, table(["Key", "Type", "Default", "Description"], rows), ...inner]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** Maps inside a map: only those with keys of their own, and one table for maps that are all alike (gate.metrics). */
function innerText(path: string, schema: Schema): string {
  // The flags of an engine are hundreds, and known to whoever looks them up there.
  if (schema.title === "map" || schema.properties === undefined) return "";
  const inner = Object.entries(schema.properties);
  const first = inner[0]?.[1];
  const areAlike = first?.properties !== undefined && inner.every(([, property]) => property.properties !== undefined);
  if (!areAlike) return mapText(path, schema, false);
  const rows = inner.map(([name, property]) => [code(name), property.description ?? ""]);
  return `### ${code(path)}\n\n${schema.description ?? ""}\n\n${table(["Key", "Description"], rows)}\n\n${mapText(`${path}.*`, first, false)}`;
}

function row(name: string, schema: Schema, parent: Schema): string[] {
  return [code(name), defaultOf(name, schema, parent), schema.description ?? ""];
}

function fullRow(name: string, schema: Schema, parent: Schema): string[] {
  return [code(name), typeOf(schema), defaultOf(name, schema, parent), describe(schema)];
}

function defaultOf(name: string, { default: value }: Schema, parent: Schema): string {
  if (value !== undefined) return isEmpty(value) ? "" : code(value);
  return parent.required?.includes(name) ? "required" : "";
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function describe({ description = "", examples }: Schema): string {
  return examples?.[0] === undefined ? description : `${description} Example: ${code(examples[0])}.`;
}

function typeOf(schema: Schema): string {
  if (schema.title !== undefined) return schema.title;
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  if (schema.type === "integer" || schema.type === "number") {
    return `${schema.type} ${schema.minimum ?? ""} to ${schema.maximum ?? ""}`;
  }
  if (schema.type === "boolean") return "true or false";
  if (schema.type === "string") return "text";
  if (schema.type === "array") return "list";
  return "map";
}
