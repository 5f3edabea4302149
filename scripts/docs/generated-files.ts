import { configJsonSchema } from "../../src/config/config-schema.ts";
import { hostFactsJsonSchema } from "../../src/record/host-facts-file.ts";
import { actionYml } from "./action-yml.ts";
import { configPage } from "./config-page.ts";
import { errorsPage } from "./errors-page.ts";
import { inputsPage, inputsTable } from "./inputs-page.ts";
import { mdeTable } from "./mde-table.ts";

export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/** Every generated file as it has to be. In README.md only what stands between markers is generated. */
export function generatedFiles(readme: string | null): GeneratedFile[] {
  const schema = { ...configJsonSchema(), title: "arc-vllm.yml, version 1" };
  const files = [
    { path: "action.yml", text: actionYml() },
    { path: "schema/arc-vllm.schema.json", text: `${JSON.stringify(schema, null, 2)}\n` },
    { path: "schema/host-facts.schema.json", text: `${JSON.stringify(hostFactsJsonSchema(), null, 2)}\n` },
    { path: "docs/inputs.md", text: inputsPage() },
    { path: "docs/config.md", text: configPage(schema) },
    { path: "docs/errors.md", text: errorsPage() },
  ];
  return readme === null ? files : [...files, { path: "README.md", text: withTables(readme) }];
}

function withTables(readme: string): string {
  return between(between(readme, "inputs", inputsTable()), "mde", mdeTable());
}

/** Puts a text between `<!-- name -->` and `<!-- /name -->`; a page without these markers stays as it is. */
function between(page: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  return from < 0 || to < from ? page : `${page.slice(0, from + start.length)}\n\n${text}\n\n${page.slice(to)}`;
}
