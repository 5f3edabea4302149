import { markdownTable } from "markdown-table";

/**
 * Text from hosts and servers as plain Markdown text: it can neither leave its cell nor become HTML, a link or code.
 * Line breaks become spaces.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/[\\`*[\]|]/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(/\s*\n\s*/g, " ");
}

/** A table whose cells are escaped; "r" in `align` for a column of numbers. */
export function tableBlock(head: readonly string[], rows: readonly (readonly string[])[], align = ""): string {
  const cells = [head, ...rows].map((row) => row.map(escapeMarkdown));
  return markdownTable(cells, { align: [...align] });
}

/** Folded away until a reader asks for it. The title is ours and must hold no HTML. */
export function detailsBlock(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

export function listBlock(items: readonly string[]): string {
  return items.map((item) => `- ${escapeMarkdown(item)}`).join("\n");
}

/**
 * Joins blocks up to a budget in bytes of UTF-8. What does not fit is left out whole, so that no table is cut in half,
 * and the last line says so: GitHub drops a whole step summary that is too large.
 */
export function joinBlocks(blocks: readonly string[], budgetBytes: number, notice: string): string {
  const size = (text: string) => new TextEncoder().encode(text).length;
  const kept: string[] = [];
  let left = budgetBytes - size(notice) - 4;
  for (const block of blocks) {
    left -= size(block) + 2;
    if (left < 0) return `${[...kept, notice].join("\n\n")}\n`;
    kept.push(block);
  }
  return `${kept.join("\n\n")}\n`;
}
