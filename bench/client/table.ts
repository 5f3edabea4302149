import type { RunResult } from "./run-once.ts";
import type { Spread } from "./spread.ts";

/** Markdown: one row per client, medians over its valid runs, in brackets the least and the most. */
export function accuracyTable(results: readonly RunResult[]): string {
  const columns: readonly (readonly [string, (result: RunResult) => number | null, number])[] = [
    ["TTFT error p50", (run) => run.score?.ttft?.p50 ?? null, 2],
    ["p99", (run) => run.score?.ttft?.p99 ?? null, 2],
    ["after 1st wave p50", (run) => run.score?.ttftAfterFirstWave?.p50 ?? null, 2],
    ["p99", (run) => run.score?.ttftAfterFirstWave?.p99 ?? null, 2],
    ["sent late p99", (run) => run.score?.sendDelay?.p99 ?? null, 2],
    ["read late p99", (run) => run.score?.readDelay?.p99 ?? null, 2],
    ["gap error p50", (run) => run.score?.gap?.p50 ?? null, 3],
    ["p99", (run) => run.score?.gap?.p99 ?? null, 2],
    ["TPOT error p99", (run) => run.score?.tpot?.p99 ?? null, 4],
    ["E2E error p99", (run) => run.score?.e2e?.p99 ?? null, 2],
    ["us/event", (run) => run.cost?.usPerEvent ?? null, 1],
    ["whole run", (run) => run.cost?.usPerEventWhole ?? null, 1],
    ["core %", (run) => run.cost?.corePct ?? null, 0],
    ["RSS MiB", (run) => run.cost?.rssMiB ?? null, 0],
    ["in flight %", (run) => run.score?.inFlightPct ?? null, 1],
    ["start ms", (run) => run.cost?.startToFirstRequestMs ?? null, 0],
    ["server late p99", (run) => run.score?.serverLateMs?.p99 ?? null, 2],
    ["waited %", (run) => run.cost?.waitedPct ?? null, 1],
    ["foreign %", (run) => run.foreignPct.client, 0],
  ];
  const rows = byClient(results).map(([client, runs]) => {
    const valid = runs.filter((run) => run.invalid.length === 0);
    const cells = columns.map(([, value, digits]) => medianCell(valid.map(value), digits));
    return `| ${client} | ${valid.length} of ${runs.length} | ${cells.join(" | ")} |`;
  });
  const head = `| client | valid runs | ${columns.map(([name]) => name).join(" | ")} |`;
  return [head, head.replace(/[^|]+/g, "---"), ...rows].join("\n");
}

/** Arrivals and lateness of an open loop. */
export function openLoopTable(results: readonly RunResult[]): string {
  const head =
    "| client | valid runs | rate | gap CV | KS (limit) | late against own schedule p50 / p99 / max ms | TTFT error p50 / p99 / max ms |";
  const rows = byClient(results).flatMap(([client, runs]) =>
    runs.map((run) => {
      const arrivals = run.score?.arrivals;
      const shape =
        arrivals === null || arrivals === undefined
          ? "- | - | -"
          : `${arrivals.perS.toFixed(1)} | ${arrivals.gapCv.toFixed(2)} | ${arrivals.ks.toFixed(3)} (${arrivals.ksLimit.toFixed(3)})`;
      return `| ${client} | ${validity(run)} | ${shape} | ${spreadCell(run.score?.lateness)} | ${spreadCell(run.score?.ttft)} |`;
    }),
  );
  return [head, head.replace(/[^|]+/g, "---"), ...rows].join("\n");
}

/** One row per profile: whether the client got it right, and if not, what is wrong. */
export function profileTable(results: readonly RunResult[]): string {
  const head =
    "| profile | client | right | claimed ok / failed | booked ok wrongly | failed wrongly | wrong tokens | TTFT / TPOT / E2E error p50 ms | its words |";
  const rows = results.map((run) => {
    const faults = profileFaults(run);
    const errors = [run.score?.ttft?.p50, run.score?.tpot?.p50, run.score?.e2e?.p50].map((value) =>
      number(value ?? null, 2),
    );
    const { claimedOk, claimedFailed, falseOk, falseFailure } = run.outcomes;
    return `| ${run.cell.slice(2)} | ${run.client} | ${faults.length === 0 ? "yes" : `**no**: ${faults.join(", ")}`} | ${claimedOk} / ${claimedFailed} | ${falseOk} | ${falseFailure} | ${run.score?.wrongTokens ?? "unknown"} | ${errors.join(" / ")} | ${run.details[0]?.slice(0, 80).replaceAll("|", "/") ?? ""} |`;
  });
  return [head, head.replace(/[^|]+/g, "---"), ...rows].join("\n");
}

/** What a profile's run got wrong. An unknown token count is honest and no fault. */
export function profileFaults({ score, exitCode }: RunResult): string[] {
  if (score === null) return [`no result (exit ${exitCode})`];
  return [
    ...(score.falseOk > 0 ? [`${score.falseOk} booked ok`] : []),
    ...(score.falseFailure > 0 ? [`${score.falseFailure} booked failed`] : []),
    ...((score.wrongTokens ?? 0) > 0 ? [`${score.wrongTokens} token counts`] : []),
    ...(score.paired < score.claims ? [`${score.claims - score.paired} unknown requests`] : []),
    ...(isOff(score.ttft, 5) ? ["TTFT"] : []),
    ...(isOff(score.tpot, 1) ? ["TPOT"] : []),
    ...(isOff(score.e2e, 8) ? ["E2E"] : []),
  ];
}

function isOff(spread: Spread | null, limitMs: number): boolean {
  return spread !== null && spread.p50 > limitMs;
}

function validity(run: RunResult): string {
  return run.invalid.length === 0 ? "yes" : `no: ${run.invalid.join(", ")}`;
}

function byClient(results: readonly RunResult[]): [string, RunResult[]][] {
  const names = [...new Set(results.map((run) => run.client))];
  return names.map((name) => [name, results.filter((run) => run.client === name)]);
}

function spreadCell(spread: Spread | null | undefined): string {
  if (spread === null || spread === undefined) return "-";
  return [spread.p50, spread.p99, spread.max].map((value) => number(value, 2)).join(" / ");
}

function medianCell(values: readonly (number | null)[], digits: number): string {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  const middle = known[Math.floor((known.length - 1) / 2)];
  if (middle === undefined) return "-";
  if (known.length === 1) return number(middle, digits);
  return `${number(middle, digits)} (${number(known[0]!, digits)}-${number(known.at(-1)!, digits)})`;
}

function number(value: number | null, digits: number): string {
  return value === null ? "-" : value.toFixed(digits);
}
