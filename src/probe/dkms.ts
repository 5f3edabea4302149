import { linesOf } from "./clean-text.ts";
import { type FactReader, read } from "./fact-reader.ts";
import type { DkmsModule } from "./host-facts.ts";

/** Modules that dkms knows, one entry per kernel. An empty list also stands for a host without dkms. */
export const dkms: FactReader<readonly DkmsModule[] | null> = {
  name: "dkms",
  script: "dkms status 2>&1",
  parse({ text, exitCode }) {
    if (exitCode === 127) return read([], "dkms is not installed");
    if (exitCode !== 0) return read(null, null, "dkms modules unknown: dkms status failed");
    const lines = linesOf(text);
    const modules = lines.map(parseStatusLine).filter((module) => module !== null);
    const unread = lines.filter((line) => parseStatusLine(line) === null && !/^(Deprecated|Warning)/i.test(line));
    const warnings = unread.map((line) => `A line of dkms status was not understood: ${line}`);
    return read(modules, lines.join("\n") || "dkms status lists no module", ...warnings);
  },
};

/**
 * dkms 2.8.1 prints "name, version, kernel, arch: state"; 2.8.7 and 3.x print "name/version, kernel, arch: state".
 * Both may append "(WARNING! …)" or "(original_module exists)" (dkms, function do_status).
 */
function parseStatusLine(line: string): DkmsModule | null {
  const match =
    /^\s*([^\s,/:]+)(?:\/|,\s*)([^\s,:]+)(?:,\s*([^\s,]+),\s*([^\s,:]+))?\s*:\s*(added|built|installed)(.*)$/.exec(
      line,
    );
  if (!match) return null;
  const [, name, version, kernel, , state, rest] = match;
  return {
    name: name as string,
    version: version as string,
    kernel: kernel ?? null,
    state: state as DkmsModule["state"],
    warning: noteOf(rest ?? ""),
  };
}

function noteOf(rest: string): string | null {
  const notes = [...rest.matchAll(/\(([^()]+)\)/g)].map((match) => (match[1] as string).trim());
  return notes.length === 0 ? null : notes.join("; ");
}
