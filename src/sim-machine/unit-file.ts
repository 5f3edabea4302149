/** What the virtual init knows of a unit: the settings of its file by section, in order. */
export interface UnitFile {
  readonly text: string;
  /** Values of one setting; an empty assignment clears what came before it. */
  all(section: string, key: string): readonly string[];
  first(section: string, key: string): string | null;
}

export function parseUnitFile(text: string): UnitFile {
  const entries: { section: string; key: string; value: string }[] = [];
  let section = "";
  for (const line of text.replace(/\\\n/g, " ").split("\n")) {
    const head = /^\[(.+)\]\s*$/.exec(line);
    const pair = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (head) section = head[1] as string;
    else if (pair && !/^\s*[#;]/.test(line))
      entries.push({ section, key: pair[1] as string, value: pair[2] as string });
  }
  const all = (name: string, key: string) => {
    const values = entries.filter((entry) => entry.section === name && entry.key === key).map(({ value }) => value);
    return values.slice(values.lastIndexOf("") + 1);
  };
  return { text, all, first: (name, key) => all(name, key)[0] ?? null };
}

/**
 * Splits an ExecStart line into words as systemd does: quotes group, a backslash escapes, `$$` is a dollar sign,
 * `${NAME}` and a word `$NAME` come from the unit's environment, `%%` is a percent sign.
 */
export function splitExecLine(line: string, env: Readonly<Record<string, string>>): string[] {
  const words = line.replace(/^[-@:+!]+/, "").match(/(?:"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|\\.|[^\s"'])+/g) ?? [];
  return words.flatMap((word) => {
    const plain = word.replace(
      /"((?:\\.|[^"])*)"|'((?:\\.|[^'])*)'/g,
      (_, double?: string, single?: string) => double ?? single ?? "",
    );
    const unescaped = plain.replace(/\\(["'\\ ])/g, "$1").replace(/%%/g, "%");
    const whole = /^\$([A-Za-z_]\w*)$/.exec(unescaped)?.[1];
    if (whole !== undefined) return (env[whole] ?? "").split(/\s+/).filter(Boolean);
    return unescaped.replace(/\$\$|\$\{([A-Za-z_]\w*)\}/g, (match, name?: string) =>
      match === "$$" ? "$" : (env[name ?? ""] ?? ""),
    );
  });
}

/** "90", "90s", "5min", "1h 30min" in milliseconds. */
export function parseTimeSpan(text: string): number {
  const unit: Record<string, number> = {
    ms: 1,
    s: 1_000,
    sec: 1_000,
    min: 60_000,
    m: 60_000,
    h: 3_600_000,
    hr: 3_600_000,
  };
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)/g)];
  return parts.reduce((total, [, amount, name]) => total + Number(amount) * (unit[name || "s"] ?? 1_000), 0);
}
