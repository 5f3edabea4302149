import { escapeControls } from "../core/show-value.ts";

/**
 * Text from anywhere as lines that cannot act on what shows them: cursor movement, titles and other controls are taken
 * out, and colours too unless they are wanted.
 */
export function printableLines(text: string, color: boolean): string[] {
  return text
    .replace(OTHER_ESCAPES, "")
    .split(/\r\n|\n/)
    .map((line) => escapePart(afterReturn(line), color));
}

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: control characters are what these look for
/** Operating system commands (titles, links), then control sequences that are no colour (ECMA-48, 5.4). */
const OTHER_ESCAPES = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|(?:\u001b\[|\u009b)[0-9:;<=>?]*[ -/]*[@-ln-~]/g;
const COLOR = /(\u001b\[[0-9;:]*m)/;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: control characters are what these look for

/** A lone carriage return starts the line again: only what comes after the last one would stay visible. */
function afterReturn(line: string): string {
  return line.replace(/\r+$/, "").split("\r").at(-1) ?? "";
}

function escapePart(line: string, color: boolean): string {
  return line
    .split(COLOR)
    .map((part, index) => {
      if (index % 2 === 1) return color ? part : "";
      return part.split("\t").map(escapeControls).join("\t");
    })
    .join("");
}
