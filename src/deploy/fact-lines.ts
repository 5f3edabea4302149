/** What a host script printed as `name=value` lines: the values of each name in order. Other lines are ignored. */
export interface FactLines {
  first(name: string): string | null;
  all(name: string): readonly string[];
  /** The lines after a line that says `--`, as they are. */
  readonly rest: readonly string[];
}

/** Bash function for host scripts: prints one fact on one line. */
export const FACT_FUNCTION = `fact() { printf '%s=%s\\n' "$1" "\${2//$'\\n'/ }"; }`;

export function parseFactLines(stdout: string): FactLines {
  const lines = stdout.replace(/\n$/, "").split("\n");
  const end = lines.indexOf("--");
  const facts = (end < 0 ? lines : lines.slice(0, end)).flatMap((line) => {
    const match = /^([a-z-]+)=(.*)$/.exec(line);
    return match === null ? [] : [{ name: match[1], value: match[2] as string }];
  });
  const all = (name: string) => facts.filter((fact) => fact.name === name).map(({ value }) => value);
  return { all, first: (name) => all(name)[0] ?? null, rest: end < 0 ? [] : lines.slice(end + 1) };
}
