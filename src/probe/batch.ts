import { cleanText } from "./clean-text.ts";
import type { SectionOutput } from "./fact-reader.ts";

/** One part of a batch: bash text that runs in its own subshell, with values that only it sees. */
export interface Section {
  /** Letters, digits, dots and dashes; unique in the batch. */
  readonly name: string;
  readonly text: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Batch {
  readonly text: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * One script that runs every section and ends with 0 whatever they do, so that any number of questions costs one round
 * trip. `mark` must be a word that no section can print by chance. A section with a syntax error fails alone. A string
 * among the sections is bash for the script itself: it may end it.
 */
export function renderBatch(sections: readonly (Section | string)[], mark: string, prelude = ""): Batch {
  const env: Record<string, string> = { ARC_MARK: mark };
  const parts = sections.map((section, index) => {
    if (typeof section === "string") return section;
    const exports = Object.entries(section.env ?? {}).map(([name, value]) => {
      env[`ARC_${index}_${name}`] = value;
      return `export ${name}="$ARC_${index}_${name}"`;
    });
    return [`arc_section ${section.name} <<'${mark}'`, ...exports, section.text, mark].join("\n");
  });
  return { text: [prelude, SECTION_FUNCTION, ...parts, "exit 0"].join("\n"), env };
}

/** What each section printed, by name. A section that the host never reached is absent. */
export function splitBatch(stdout: string, mark: string): ReadonlyMap<string, SectionOutput> {
  const outputs = new Map<string, SectionOutput>();
  for (const part of cleanText(stdout).split(`\n${mark} begin `).slice(1)) {
    const nameEnd = part.indexOf("\n");
    const name = part.slice(0, nameEnd === -1 ? undefined : nameEnd).trim();
    const body = nameEnd === -1 ? "" : part.slice(nameEnd + 1);
    const end = body.lastIndexOf(`\n${mark} end `);
    const exitCode = end === -1 ? null : Number.parseInt(body.slice(end + mark.length + 6), 10);
    const text = end === -1 ? body : body.slice(0, end);
    outputs.set(name, { text, exitCode: Number.isNaN(exitCode) ? null : exitCode });
  }
  return outputs;
}

// A heredoc hands the text over untouched; eval keeps a syntax error inside the section's own subshell.
const SECTION_FUNCTION = `
arc_section() {
  local arc_text
  IFS= read -r -d '' arc_text
  printf '\\n%s begin %s\\n' "$ARC_MARK" "$1"
  ( eval "$arc_text" ) 2>&1 </dev/null
  printf '\\n%s end %s\\n' "$ARC_MARK" "$?"
}`;
