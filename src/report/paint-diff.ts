import pc from "picocolors";
import type { TableOptions } from "./terminal-table.ts";

/** A diff with the colours that people know from git; as it is unless colours are asked for. */
export function paintDiff(diff: string, { color = false }: TableOptions = {}): string {
  const { bold, cyan, green, red } = pc.createColors(color);
  const paint = (line: string) => {
    if (/^(#|---|\+\+\+) /.test(line)) return bold(line);
    if (line.startsWith("@@ ")) return cyan(line);
    if (line.startsWith("+")) return green(line);
    return line.startsWith("-") ? red(line) : line;
  };
  return diff.split("\n").map(paint).join("\n");
}
