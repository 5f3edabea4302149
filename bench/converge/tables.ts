import { markdownTable } from "markdown-table";

export interface Pass {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Per host. */
  readonly sessions: number;
  readonly connections: number;
}

export interface Measurement {
  readonly tool: string;
  readonly hosts: number;
  readonly passes: Pass[];
}

/** Three Markdown tables: wall time, what it cost the client and the hosts, and how the first tool compares. */
export function resultTables(measurements: readonly Measurement[]): string {
  const counts = [...new Set(measurements.map(({ hosts }) => hosts))];
  const tools = [...new Set(measurements.map(({ tool }) => tool))];
  const cell = (tool: string, hosts: number) => {
    const found = measurements.find((one) => one.tool === tool && one.hosts === hosts);
    if (found === undefined) throw new Error(`no measurement of ${tool} on ${hosts} hosts`);
    return found.passes;
  };
  const title = (hosts: number) => `${hosts} ${hosts === 1 ? "host" : "hosts"}`;
  const wall = tools.map((tool) => [
    tool,
    ...counts.map((hosts) => spread(cell(tool, hosts).map(({ wallMs }) => wallMs / 1000))),
  ]);
  const cost = tools.map((tool) => [
    tool,
    ...counts.map((hosts) => median(cell(tool, hosts).map(({ cpuMs }) => cpuMs / 1000)).toFixed(2)),
    String(median(cell(tool, counts[0]!).map(({ sessions }) => sessions))),
    String(median(cell(tool, counts[0]!).map(({ connections }) => connections))),
  ]);
  const first = tools[0]!;
  const seconds = (tool: string, hosts: number) => median(cell(tool, hosts).map(({ wallMs }) => wallMs)) / 1000;
  const ratios = tools
    .slice(1)
    .map((tool) => [tool, ...counts.map((hosts) => `${(seconds(tool, hosts) / seconds(first, hosts)).toFixed(1)} x`)]);
  return [
    "Wall time in seconds from start to exit: median (min to max)",
    "",
    markdownTable([["", ...counts.map(title)], ...wall]),
    "",
    "Client CPU in seconds (median), and sessions and connections that the log of one sshd shows per pass",
    "",
    markdownTable([["", ...counts.map((hosts) => `CPU, ${title(hosts)}`), "sessions", "connections"], ...cost]),
    "",
    `Median wall time relative to "${first}"`,
    "",
    markdownTable([["", ...counts.map(title)], ...ratios]),
    "",
    `"${first}" on ${title(counts.at(-1)!)} takes ${(seconds(first, counts.at(-1)!) / seconds(first, counts[0]!)).toFixed(1)} x as long as on ${title(counts[0]!)}.`,
  ].join("\n");
}

function spread(values: readonly number[]): string {
  return `${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
