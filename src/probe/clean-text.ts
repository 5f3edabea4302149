// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the bytes that terminals and pagers leave behind.
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL and other control bytes, except tab and newline.
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** Host output without colours, carriage returns, other control bytes and spaces at line ends: plain lines. */
export function cleanText(text: string): string {
  const plain = text
    .replace(ESCAPES, "")
    .replace(/\r+\n?/g, "\n")
    .replace(CONTROLS, "");
  return plain.replace(/[ \t]+$/gm, "");
}

/** The lines that hold something. */
export function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
