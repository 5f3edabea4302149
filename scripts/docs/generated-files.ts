import { configJsonSchema } from "../../src/inputs/config-schema.ts";
import { actionYml } from "./action-yml.ts";
import { configPage } from "./config-page.ts";
import { errorsPage } from "./errors-page.ts";
import { inputsPage, inputsTable } from "./inputs-page.ts";

export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/** Every generated file as it has to be. README.md is among them when it has the markers of the inputs table. */
export function generatedFiles(readme: string | null): GeneratedFile[] {
  const schema = { ...configJsonSchema(), title: "arc-vllm.yml, version 1" };
  const files = [
    { path: "action.yml", text: actionYml() },
    { path: "schema/arc-vllm.schema.json", text: `${JSON.stringify(schema, null, 2)}\n` },
    { path: "docs/inputs.md", text: inputsPage() },
    { path: "docs/config.md", text: configPage(schema) },
    { path: "docs/errors.md", text: errorsPage() },
  ];
  const newReadme = readme === null ? null : withInputs(readme);
  return newReadme === null ? files : [...files, { path: "README.md", text: newReadme }];
}

function withInputs(readme: string): string | null {
  const [before, rest] = split(readme, "<!-- inputs -->");
  const [, after] = split(rest ?? "", "<!-- /inputs -->");
  if (before === undefined || after === undefined) return null;
  return `${before}<!-- inputs -->\n\n${inputsTable()}\n\n<!-- /inputs -->${after}`;
}

function split(text: string, marker: string): [string?, string?] {
  const at = text.indexOf(marker);
  return at < 0 ? [] : [text.slice(0, at), text.slice(at + marker.length)];
}
